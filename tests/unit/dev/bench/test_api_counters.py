"""What the apiserver's metrics page tells."""

from __future__ import annotations

import pytest

from anka_dev.bench.api_counters import ApiCounters, are_open, have_ended, parse, peak_per_second, rates_of

WATCHED = ("ankainstances", "ankanodes", "saveimages", "templatedistributions")

PAGE = """
# TYPE apiserver_request_total counter
apiserver_flowcontrol_dispatched_requests_total{flow_schema="anka-heartbeats",priority_level="node-high"} 40
apiserver_flowcontrol_dispatched_requests_total{flow_schema="service-accounts",priority_level="workload-low"} 1.5e+02
apiserver_flowcontrol_dispatched_requests_total{flow_schema="exempt",priority_level="exempt"} 7000
apiserver_request_total{code="429",component="apiserver",dry_run="",group="anka.veertu.com",resource="ankanodes",scope="cluster",subresource="",verb="WATCH",version="v1alpha1"} 1
apiserver_request_total{code="403",component="apiserver",dry_run="",group="anka.veertu.com",resource="ankanodes",scope="cluster",subresource="",verb="WATCH",version="v1alpha1"} 50
apiserver_request_total{code="429",component="apiserver",dry_run="",group="anka.veertu.com",resource="ankanodes",scope="cluster",subresource="",verb="LIST",version="v1alpha1"} 2
apiserver_longrunning_requests{component="apiserver",group="anka.veertu.com",resource="ankanodes",scope="cluster",subresource="",verb="WATCH",version="v1alpha1"} 7
apiserver_longrunning_requests{component="apiserver",group="anka.veertu.com",resource="ankanodes",scope="resource",subresource="",verb="WATCH",version="v1alpha1"} 100
apiserver_request_total{code="200",component="apiserver",dry_run="",group="anka.veertu.com",resource="ankanodes",scope="resource",subresource="",verb="WATCH",version="v1alpha1"} 12
apiserver_request_total{code="200",component="apiserver",dry_run="",group="anka.veertu.com",resource="ankainstances",scope="resource",subresource="status",verb="PUT",version="v1alpha1"} 5
apiserver_request_total{code="201",component="apiserver",dry_run="",group="anka.veertu.com",resource="ankainstances",scope="resource",subresource="",verb="POST",version="v1alpha1"} 6
apiserver_request_total{code="201",component="apiserver",dry_run="All",group="anka.veertu.com",resource="ankainstances",scope="resource",subresource="",verb="POST",version="v1alpha1"} 9
apiserver_request_total{code="409",component="apiserver",dry_run="",group="anka.veertu.com",resource="ankainstances",scope="resource",subresource="status",verb="PUT",version="v1alpha1"} 2
apiserver_request_total{code="200",component="apiserver",dry_run="",group="anka.veertu.com",resource="ankainstances",scope="cluster",subresource="",verb="LIST",version="v1alpha1"} 8
apiserver_terminated_watchers_total{group="anka.veertu.com",resource="ankainstances"} 4
apiserver_request_duration_seconds_count{verb="LIST"} 99
"""  # noqa: E501 - as the apiserver writes it


def counters(
    at: float = 0.0, dispatched: float = 0.0, opened: float = 0.0, ended: float = 0.0, writes: float = 0.0
) -> ApiCounters:
    watches = dict.fromkeys(WATCHED, opened)
    return ApiCounters(at, dispatched, 0.0, 0.0, watches, dict.fromkeys(WATCHED, ended), {"leases": writes})


def test_the_page_is_read_without_what_administrators_ask() -> None:
    found = parse(PAGE, 12.5)
    assert found == ApiCounters(
        at=12.5,
        dispatched=190,
        rejected=3,
        cut=4,
        open_watches={"ankanodes": 107},
        ended_watches={"ankanodes": 12},
        writes={"ankainstances": 11},
    )


@pytest.mark.parametrize(
    ("readings", "peak"),
    [
        ([], 0),
        ([counters()], 0),
        ([counters(0, 10), counters(1, 30), counters(3, 50)], 20),
        ([counters(0, 10), counters(0.5, 40), counters(1, 50)], 60),
        # It was started between the two: what it counts came since.
        ([counters(0, 1000), counters(2, 100)], 50),
    ],
)
def test_the_peak_is_the_highest_rate_between_two_readings(readings: list[ApiCounters], peak: float) -> None:
    assert peak_per_second(readings) == peak


@pytest.mark.parametrize(("opened", "is_open"), [(0, False), (97, False), (98, True), (100, True), (120, True)])
def test_all_are_back_but_for_those_of_the_controller_manager(opened: float, is_open: bool) -> None:
    assert are_open(counters(opened=100), counters(opened=opened)) is is_open


@pytest.mark.parametrize(("ended", "have"), [(500, False), (597, False), (598, True), (700, True)])
def test_all_have_ended_that_were_open(ended: float, have: bool) -> None:
    assert have_ended(counters(opened=100, ended=500), counters(opened=100, ended=ended)) is have


def test_one_kind_that_is_not_back_counts() -> None:
    before = counters(opened=100)
    now = ApiCounters(0, 0, 0, 0, {**before.open_watches, "saveimages": 5}, {}, {})
    assert not are_open(before, now)
    assert are_open(before, now, ["ankainstances"])


def test_rates_are_per_second() -> None:
    assert rates_of(counters(10, writes=50), counters(15, writes=80), ["leases", "events"]) == {
        "leases": 6,
        "events": 0,
    }
