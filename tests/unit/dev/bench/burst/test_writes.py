"""Counting the writes of an apiserver."""

from __future__ import annotations

import pytest

from anka_dev.bench.burst.writes import count_writes

METRICS = """# TYPE apiserver_request_total counter
apiserver_request_total{code="201",dry_run="",resource="ankainstances",subresource="",verb="POST"} 1000
apiserver_request_total{code="200",dry_run="",resource="ankainstances",subresource="status",verb="PATCH"} 2e+03
apiserver_request_total{code="200",dry_run="",resource="ankainstances",subresource="",verb="LIST"} 7
apiserver_request_total{code="409",dry_run="",resource="ankainstances",subresource="status",verb="PATCH"} 50
apiserver_request_total{code="201",dry_run="All",resource="ankainstances",subresource="",verb="POST"} 3
apiserver_request_total{code="200",dry_run="",resource="leases",subresource="",verb="PUT"} 11
apiserver_request_sli_duration_seconds_count{resource="ankainstances",verb="POST"} 5
"""


@pytest.mark.parametrize(("resource", "writes"), [("ankainstances", 3000), ("leases", 11), ("pods", 0)])
def test_writes_are_counted_without_reads_refusals_and_dry_runs(resource: str, writes: int) -> None:
    assert count_writes(METRICS, resource) == writes
