"""What a PromQL expression names, as far as a program can tell without being Prometheus."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping

from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

METRIC = re.compile(r"\banka_[a-z_]+")
SELECTOR = re.compile(r"\b(anka_[a-z_]+)\{([^}]*)\}")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
ENDINGS = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
OF_THE_TARGET = frozenset({"job", "instance"})


def known() -> dict[str, frozenset[str] | None]:
    """Names of series -> labels; None where the labels are only known once there is a sample."""
    for process in ("anka_operator.process", "anka_agent.supervisor", "anka_shim.http.application"):
        importlib.import_module(process)
    found: dict[str, frozenset[str] | None] = {}
    for collector in tuple(REGISTRY._collector_to_names):
        labels = frozenset(collector._labelnames) if isinstance(collector, MetricWrapperBase) else None
        for family in collector.collect():
            if family.name.startswith("anka_"):
                found |= dict.fromkeys((family.name + ending for ending in ENDINGS[family.type]), labels)
    return found


def wrong(expression: str, series: Mapping[str, frozenset[str] | None]) -> list[str]:
    """What the expression names and the product does not have."""
    problems = [f"no metric {name}" for name in METRIC.findall(expression) if name not in series]
    for name, inside in SELECTOR.findall(expression):
        labels = series.get(name)
        if labels is not None:
            wanted = set(MATCHER.findall(inside)) - OF_THE_TARGET - {"le"}
            problems += [f"{name} has no label {label}" for label in sorted(wanted - labels)]
    return problems
