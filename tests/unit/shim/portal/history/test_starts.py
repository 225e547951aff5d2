"""Starts and binds of the last hour."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anka_shim.portal.history.starts import HOUR_SECONDS, BindRecord, StartMemory, StartRecord
from anka_shim.portal.history.timeline import StartStep
from support.objects import START


@given(st.lists(st.tuples(st.floats(0, 3 * HOUR_SECONDS), st.sampled_from("ab")), max_size=30))
def test_the_last_hour_by_template(rows: list[tuple[float, str]]) -> None:
    memory, now = StartMemory(), 3 * HOUR_SECONDS
    for at, template in sorted(rows):
        memory.record_start(StartRecord(at, template, at, [StartStep("wait", START, START)]))
    found = memory.summarize_starts(now)
    for template in "ab":
        count = sum(1 for at, name in rows if name == template and now - at < HOUR_SECONDS)
        assert found.get(template, {"n": 0})["n"] == count
        assert memory.find_medians(template, now) == ({"wait": 0.0} if count else {}, count)


def test_pulls_and_waits() -> None:
    memory = StartMemory()
    for waited, needs_pull in ((1.0, True), (3.0, False), (2.0, False), (9.0, None)):
        memory.record_bind(BindRecord(0, waited, needs_pull))
    assert memory.count_pulls(10) == {"cached": 2, "pulled": 1}
    assert memory.summarize_waits(10) == {"p50": 2.0, "p95": 9.0, "n": 4}
    assert memory.summarize_waits(HOUR_SECONDS) == {"n": 0}
