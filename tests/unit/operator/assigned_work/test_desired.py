from __future__ import annotations

from anka_operator.assigned_work.desired import compute_status
from support.objects import node


def test_both_are_said_at_once_and_nothing_is_said_twice() -> None:
    patch = compute_status(node(), saves=False, distributions=True)
    assert patch == {"assigned": {"saves": False, "distributions": True}}
    told = node(status=patch)
    assert compute_status(told, saves=False, distributions=True) is None
    assert compute_status(told, saves=True, distributions=True) == {"assigned": {"saves": True, "distributions": True}}
