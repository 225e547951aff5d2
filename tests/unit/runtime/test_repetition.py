"""One line for each cause and second."""

from __future__ import annotations

import io
import itertools
import json
import logging
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from anka_runtime import logs
from anka_runtime.repetition import CAUSE, MOST_CAUSES, RepetitionFilter
from support.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def passing(clock: ManualClock) -> RepetitionFilter:
    return RepetitionFilter(clock.monotonic)


def record(text: str, level: int = logging.WARNING, *, cause: object = None, logger: str = "x") -> logging.LogRecord:
    made = logging.LogRecord(logger, level, "", 0, text, None, None)
    if cause is not None:
        setattr(made, CAUSE, cause)
    return made


def test_the_same_line_again(passing: RepetitionFilter, clock: ManualClock) -> None:
    assert [passing.filter(record("a")) for _ in range(4)] == [True, False, False, False]
    clock.advance(1.0)
    later = record("a")
    assert passing.filter(later)
    assert vars(later)["suppressed"] == 3
    clock.advance(1.0)
    quiet = record("a")
    assert passing.filter(quiet)
    assert not hasattr(quiet, "suppressed")


def test_other_lines_pass(passing: RepetitionFilter) -> None:
    assert all(passing.filter(record(text)) for text in "abc")
    assert passing.filter(record("a", logger="y"))
    assert all(passing.filter(record("same", logging.INFO)) for _ in range(5))


def test_a_line_about_another_object_is_another_line(passing: RepetitionFilter) -> None:
    def about(**fields: str) -> bool:
        made = record("it failed")
        vars(made).update(fields)
        return passing.filter(made)

    assert [about(instance="ci/a"), about(instance="ci/b"), about(instance="ci/a")] == [True, True, False]
    assert [about(request_id="1"), about(request_id="2", client="10.0.0.1")] == [True, False]


def test_a_cause_is_stronger_than_the_text(passing: RepetitionFilter) -> None:
    seen = [passing.filter(record(f"GET /{number}", logging.INFO, cause="404")) for number in range(5)]
    assert seen == [True, False, False, False, False]


def test_what_is_remembered_is_bounded(passing: RepetitionFilter) -> None:
    for number in range(3 * MOST_CAUSES):
        assert passing.filter(record(str(number)))
    assert len(passing._causes) == MOST_CAUSES
    assert not passing.filter(record(str(3 * MOST_CAUSES - 1)))


def test_each_handler_tells_its_own_count(clock: ManualClock) -> None:
    """A record goes to one handler after the other: what the first has written on it is no word of the second."""
    first, second = RepetitionFilter(clock.monotonic), RepetitionFilter(clock.monotonic)

    def offer(*filters: RepetitionFilter) -> list[int | None]:
        made = record("a")
        return [vars(made).get("suppressed", 0) if one.filter(made) else None for one in filters]

    assert [offer(first, second), offer(first), offer(first, second)] == [[0, 0], [None], [None, None]]
    clock.advance(1.0)
    assert [offer(first, second), offer(first, second)] == [[2, 1], [None, None]]
    # One that is new is told of no line that it never saw.
    clock.advance(1.0)
    assert offer(first, RepetitionFilter(clock.monotonic)) == [1, 0]


def test_who_logs_does_not_fail_of_arguments_that_do_not_fit(passing: RepetitionFilter) -> None:
    wrong = logging.LogRecord("x", logging.WARNING, "", 0, "%d of them", ("some",), None)
    assert passing.filter(wrong)


def test_any_thread_may_log() -> None:
    """Each line ends a cause's second, so that every thread replaces what another has just found."""
    ticks = itertools.count()
    passing = RepetitionFilter(lambda: float(next(ticks)))
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            passed = pool.map(lambda _: all(passing.filter(record("a", cause="same")) for _ in range(5_000)), range(4))
    finally:
        sys.setswitchinterval(switch)
    assert all(passed)


@pytest.mark.parametrize("form", ["json", "text"])
def test_all_our_logs_have_it_and_show_the_count_and_not_the_cause(form: logs.LogFormat) -> None:
    stream = io.StringIO()
    handler = logs.dress(logging.StreamHandler(stream), form)
    for _ in range(3):
        made = record("boom", cause="why")
        if handler.filter(made):
            handler.emit(made)
    text = stream.getvalue()
    assert text.count("boom") == 1
    assert "why" not in text
    if form == "json":
        assert json.loads(text)["message"] == "boom"


def test_a_text_from_outside_makes_no_line_of_its_own() -> None:
    stream = io.StringIO()
    handler = logs.dress(logging.StreamHandler(stream), "text")
    made = record("request")
    made.path = "/a\n2026-01-01 ERROR forged"
    handler.emit(made)
    assert stream.getvalue().count("\n") == 1
