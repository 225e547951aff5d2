"""The latest of each Mac, in whatever order they are told."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from anka_shim.portal.history.past_instances import MOST_OF_NODE, NodeInstances, PastInstance
from support.objects import START


def past(number: int) -> PastInstance:
    return PastInstance(f"u{number}", f"i{number}", "n", "t", None, None, START + timedelta(seconds=number))


@given(st.permutations(range(MOST_OF_NODE + 5)))
def test_the_latest_stay(order: list[int]) -> None:
    known = NodeInstances()
    for number in order:
        known.record("mac-1", past(number))
    expected = [f"u{number}" for number in reversed(range(5, MOST_OF_NODE + 5))]
    assert [one.uid for one in known.of_node("mac-1")] == expected
    assert known.find("mac-1", "u0") is None
    known.forget_node("mac-1")
    assert list(known.of_node("mac-1")) == []
