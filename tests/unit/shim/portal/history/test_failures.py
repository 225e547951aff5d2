"""Failures are remembered for a day, and not without end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anka_shim.portal.history import failures
from anka_shim.portal.history.failures import DAY_SECONDS, MOST_OF_NODE, FailureMemory, FailureRecord


def failure(at: float, node: str | None = "mac-1", reason: str = "StartFailed") -> FailureRecord:
    return FailureRecord(at, reason, "m", f"i{at}", node)


@given(st.lists(st.tuples(st.floats(0, 3 * DAY_SECONDS), st.sampled_from(["a", "b", None])), max_size=30))
def test_a_day_of_each_node(rows: list[tuple[float, str | None]]) -> None:
    rows.sort(key=lambda row: row[0])
    memory, now = FailureMemory(), 3 * DAY_SECONDS
    for at, node in rows:
        memory.record(failure(at, node))
    for name in ("a", "b"):
        expected = [at for at, node in rows if node == name and now - at < DAY_SECONDS]
        assert [one.at for one in memory.of_node(name, now)] == expected
    assert sum(memory.count_reasons(0).values()) == len(rows)


def test_reasons() -> None:
    memory = FailureMemory()
    for at, reason in enumerate(("B", "A", "B", "C")):
        memory.record(failure(at, None, reason))
    assert list(memory.count_reasons(1).items()) == [("A", 1), ("B", 1), ("C", 1)]
    assert next(iter(memory.count_reasons(0).items())) == ("B", 2)


def test_bounds() -> None:
    memory = FailureMemory()
    for at in range(MOST_OF_NODE + 5):
        memory.record(failure(at))
    assert len(memory.of_node("mac-1", 10)) == MOST_OF_NODE
    for number in range(failures.MOST_NODES):
        memory.record(failure(1, f"n{number}"))
    assert memory.of_node("mac-1", 10) == []
    memory.forget_node("n7")
    assert memory.of_node("n7", 10) == []
