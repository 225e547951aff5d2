"""Which node is best."""

from __future__ import annotations

from typing import Any

import pytest

from anka_operator.scheduler.catalog import Resolved
from anka_operator.scheduler.filters import Asked
from anka_operator.scheduler.fleet import Node
from anka_operator.scheduler.ledger import Claim, Ledger
from anka_operator.scheduler.score import Placement, fullness, missing, score
from anka_operator.scheduler.size import Size

ASKED = Asked(Resolved("t", "t", "v1", 0), ("ios", "spare"))
HAS_TAG = {"t": frozenset({"v1"})}
HAS_OTHER = {"t": frozenset({"v0"})}


def test_missing() -> None:
    assert [missing(Node("n", holds=holds), ASKED) for holds in (HAS_TAG, HAS_OTHER, {})] == [0, 1, 2]


def test_order() -> None:
    """The wanted group before the fallback, then what needs no pull, then what is emptier, then the name."""
    ledger = Ledger()
    for number, name in enumerate(["half", "half", "big"]):
        ledger.put(str(number), Claim(name))
    ios, spare = frozenset({"ios"}), frozenset({"spare"})
    best_first = [
        Node("idle", groups=ios, slots=4, holds=HAS_TAG),
        Node("zidle", groups=ios, slots=4, holds=HAS_TAG),
        Node("big", groups=ios | spare, slots=8, holds=HAS_TAG),
        Node("half", groups=ios, slots=4, holds=HAS_TAG),
        Node("other", groups=ios, slots=4, holds=HAS_OTHER),
        Node("none", groups=ios, slots=4),
        Node("fallback", groups=spare, slots=4, holds=HAS_TAG),
    ]
    assert sorted(best_first, key=lambda node: score(node, ASKED, ledger.use(node.name))) == best_first
    packed = sorted(best_first, key=lambda node: score(node, ASKED, ledger.use(node.name), Placement.PACK))
    assert [node.name for node in packed] == ["half", "big", "idle", "zidle", "other", "none", "fallback"]


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"slots": 4}, 0.5),
        ({"slots": 0}, 0.0),
        ({"slots": None, "room": Size(8, 8192)}, 0.75),  # RAM is scarcer than vCPUs
        ({"slots": None, "room": Size(4, 81920)}, 1.0),
        ({"slots": 2, "room": Size(8, 8192)}, 1.0),
        ({"slots": None, "room": Size(0, 0)}, 6144.0),
    ],
)
def test_fullness(more: dict[str, Any], wanted: float) -> None:
    ledger = Ledger()
    ledger.put("a", Claim("n", Size(2, 2048)))
    ledger.put("b", Claim("n", Size(2, 4096)))
    assert fullness(Node("n", **more), ledger.use("n")) == wanted
