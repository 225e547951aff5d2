"""docs/reference/metrics.md: every metric with its labels, from the registry that `/metrics` serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import REGISTRY, Metric
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import CollectorRegistry

from anka_dev.reference.discovery import PROGRAMS, modules, package_of
from anka_dev.reference.page import Page, code, sentence, table

INTRODUCTION = (
    "The metrics at `/metrics` of each program, as Prometheus names them. Histograms have the series `_bucket` (with "
    "the label `le`), `_sum` and `_count`. What to look at first: [monitoring](../operate/monitoring.md#metrics)."
)
SECTIONS = {
    "anka_operator": "Operator",
    "anka_shim": "Shim",
    "anka_agent": "Agent",
    "anka_central_log": "All programs: central logs",
    "anka_registry": "All programs: the registry",
    "anka_unreadable": "All programs: lists from outside",
    "anka_kube": "All programs: requests to the Kubernetes API",
}


@dataclass(frozen=True)
class MetricEntry:
    name: str
    type: str
    labels: tuple[str, ...]
    meaning: str


def page() -> Page:
    for program in PROGRAMS:
        modules(package_of(program))
    every = sorted(entries(REGISTRY), key=lambda entry: entry.name)
    made = Page("Metrics", [INTRODUCTION])
    for prefix, heading in SECTIONS.items():
        made.section(heading, entries_table(entry for entry in every if entry.name.startswith(f"{prefix}_")))
    return made


def entries_table(some: Iterable[MetricEntry]) -> str:
    rows = [(code(one.name), one.type, ", ".join(one.labels), sentence(one.meaning)) for one in some]
    return table(("metric", "type", "labels", "meaning"), rows)


def entries(registry: CollectorRegistry) -> Iterator[MetricEntry]:
    """Ours: those that begin with `anka_`."""
    for collector in tuple(registry._collector_to_names):
        for family in collector.collect():
            if family.name.startswith("anka_"):
                labels = collector._labelnames if isinstance(collector, MetricWrapperBase) else labels_of(family)
                name = f"{family.name}_total" if family.type == "counter" else family.name
                yield MetricEntry(name, family.type, tuple(labels), family.documentation)


def labels_of(family: Metric) -> tuple[str, ...]:
    """Of a family that a collector of its own makes: it has them even when it has no samples."""
    return tuple(getattr(family, "_labelnames", ()))
