"""Resuming, against a model that remembers everything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anka_shim.portal.stream.ring import ChangeRing

steps = st.lists(
    st.tuples(st.tuples(st.integers(0, 2), st.integers(0, 2)), st.sets(st.sampled_from("abcdef"), max_size=4)),
    max_size=30,
)


@given(steps, st.integers(1, 12))
def test_a_browser_misses_nothing(steps: list[tuple[tuple[int, int], set[str]]], most: int) -> None:
    ring = ChangeRing(most)
    version = (5, 5)
    ring.restart(version, (7, 5))
    told: list[tuple[tuple[int, int], set[str]]] = [(version, set())]
    for (left, right), ids in steps:
        version = (version[0] + left, version[1] + right)
        ring.record(version, ids)
        told.append((version, ids))
    for number, (at, _) in enumerate(told):
        missed = set().union(*(ids for _, ids in told[number + 1 :]))
        found = ring.since(at)
        assert found is None or found >= missed
        if sum(len(ids) for _, ids in told) <= most:
            assert found is not None
    assert sum(len(ids) for _, ids in ring._changes) <= most
    for at, _ in told:
        # Told by another replica: what was deleted before our list is not known.
        assert ring.since(at, is_own=False) is None or at[0] >= 7
    assert ring.since((4, 5)) is None
    assert ring.since((5, 4)) is None


def test_before_anything_is_known() -> None:
    assert ChangeRing().since((1,)) is None
