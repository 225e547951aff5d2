"""Which node is best."""

from __future__ import annotations

from anka_operator.scheduler.catalog import Resolved
from anka_operator.scheduler.filters import Asked
from anka_operator.scheduler.fleet import Ledger, Node
from anka_operator.scheduler.score import missing, score

ASKED = Asked(Resolved("t", "t", "v1", 0), ("ios", "spare"))
HAS_TAG = {"t": frozenset({"v1"})}
HAS_OTHER = {"t": frozenset({"v0"})}


def test_missing() -> None:
    assert [missing(Node("n", holds=holds), ASKED) for holds in (HAS_TAG, HAS_OTHER, {})] == [0, 1, 2]


def test_order() -> None:
    """The wanted group before the fallback, then what needs no pull, then what is emptier, then the name."""
    ledger = Ledger()
    for number, name in enumerate(["half", "half", "big"]):
        ledger.put(str(number), name)
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
    assert sorted(best_first, key=lambda node: score(node, ASKED, ledger)) == best_first
