"""Metrics with their labels, from a registry."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily

from anka_dev.reference.metrics import SECTIONS, MetricEntry, entries, page
from support.promql import known


class Collector:
    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("anka_operator_open", "Open.", labels=["group"])


def test_entries() -> None:
    registry = CollectorRegistry()
    Counter("anka_shim_requests", "Requests.", ["code"], registry=registry)
    Histogram("anka_shim_seconds", "Time.", registry=registry)
    Gauge("python_info", "Not ours.", registry=registry)
    registry.register(Collector())
    assert sorted(entries(registry), key=lambda one: one.name) == [
        MetricEntry("anka_operator_open", "gauge", ("group",), "Open."),
        MetricEntry("anka_shim_requests_total", "counter", ("code",), "Requests."),
        MetricEntry("anka_shim_seconds", "histogram", (), "Time."),
    ]


def test_every_metric_is_on_the_page() -> None:
    text = page().text()
    for series in known():
        name = series.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        assert f"| `{name}` |" in text
        assert name.startswith(tuple(SECTIONS))
