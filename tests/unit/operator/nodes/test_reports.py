from __future__ import annotations

from anka_crds.api.defaults import NODE_REPORT_SECONDS
from anka_operator.nodes.reports import FIRST_SECONDS, MISSED_REPORTS, ReportTracker
from support.objects import START

LATER = MISSED_REPORTS * NODE_REPORT_SECONDS


def test_an_agent_that_never_reports() -> None:
    tracker = ReportTracker()
    tracker.observe("m1", None, 0)
    assert not tracker.is_silent("m1", 0, alive=None, reported=False)
    assert not tracker.is_silent("m1", 500, alive=False, reported=False), "that is Offline"
    assert not tracker.is_silent("m1", 500 + FIRST_SECONDS - 1, alive=True, reported=False)
    assert tracker.is_silent("m1", 500 + FIRST_SECONDS, alive=True, reported=False)
    tracker.observe("m1", START, 700)
    assert not tracker.is_silent("m1", 700, alive=True, reported=True)


def test_an_agent_that_reports_no_more() -> None:
    tracker = ReportTracker()
    tracker.observe("m1", START, 0)
    assert not tracker.is_silent("m1", LATER - 1, alive=True, reported=True)
    tracker.observe("m1", START, LATER - 1)
    assert tracker.is_silent("m1", LATER, alive=True, reported=True)


def test_a_mac_that_was_off_has_time_to_report() -> None:
    tracker = ReportTracker()
    tracker.observe("m1", START, 0)
    assert not tracker.is_silent("m1", 86_400, alive=False, reported=True)
    assert not tracker.is_silent("m1", 86_400 + LATER - 1, alive=True, reported=True)
    tracker.forget("m1")
    assert not tracker.is_silent("m1", 99_999, alive=True, reported=True)
