"""What the apiserver's metrics tell of its clients: requests, refusals, open and ended watches. Pure."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

INSTANCES_WATCH = ("ankainstances",)
"""What an agent has to hear of at once."""
AGENTS_WATCH = ("ankainstances", "ankanodes", "saveimages", "templatedistributions")
"""Resources of which every agent has one watch."""
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_WRITES = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE"})
_DISPATCHED = "apiserver_flowcontrol_dispatched_requests_total"
_OPEN = "apiserver_longrunning_requests"
_REQUESTS = "apiserver_request_total"
_CUT = "apiserver_terminated_watchers_total"
_FAMILIES = tuple(f"{name}{{" for name in (_DISPATCHED, _OPEN, _REQUESTS, _CUT))
_STRANGERS = 2
"""Watches on each resource that the controller manager has: it comes back on its own time, which is not measured."""


@dataclass(frozen=True)
class ApiCounters:
    """One reading of the metrics page, since the apiserver started. `at`: when, on the monotonic performance clock."""

    at: float
    dispatched: float
    """Requests that began to be served, watches among them; not those of administrators and of the apiserver itself."""
    rejected: float
    """Requests that were answered with 429, for whatever reason: too many of them, or a kind that changes just now."""
    cut: float
    """Watches that were ended because their reader was too slow."""
    open_watches: Mapping[str, float]
    """By resource."""
    ended_watches: Mapping[str, float]
    """By resource; those that were opened at all."""
    writes: Mapping[str, float]
    """Successful ones, by resource; subresources count as their resource."""


def parse(page: str, at: float) -> ApiCounters:
    """Of the page that Prometheus scrapes."""
    rejected = 0.0
    totals: dict[str, float] = defaultdict(float)
    opened: dict[str, float] = defaultdict(float)
    ended: dict[str, float] = defaultdict(float)
    writes: dict[str, float] = defaultdict(float)
    for line in page.splitlines():
        if not line.startswith(_FAMILIES):
            continue
        family, _, rest = line.partition("{")
        text, _, number = rest.rpartition("} ")
        labels, value = dict(_LABEL.findall(text)), float(number)
        resource, verb = labels.get("resource", ""), labels.get("verb", "")
        if family == _OPEN and verb == "WATCH":
            opened[resource] += value
        elif family == _REQUESTS and labels.get("code") == "429":
            rejected += value
        elif family == _REQUESTS and verb == "WATCH" and labels.get("code", "").startswith("2"):
            ended[resource] += value
        elif family == _REQUESTS and _is_write(labels):
            writes[resource] += value
        elif family == _CUT or (family == _DISPATCHED and labels.get("flow_schema") != "exempt"):
            totals[family] += value
    return ApiCounters(at, totals[_DISPATCHED], rejected, totals[_CUT], opened, ended, writes)


def _is_write(labels: Mapping[str, str]) -> bool:
    return labels.get("verb") in _WRITES and not labels.get("dry_run") and labels.get("code", "").startswith("2")


def peak_per_second(readings: Sequence[ApiCounters]) -> float:
    """The highest rate of requests between two consecutive readings; 0 for less than two. An apiserver that started
    between them counts from 0."""
    rates = [
        (after.dispatched - (before.dispatched if after.dispatched >= before.dispatched else 0.0))
        / (after.at - before.at)
        for before, after in itertools.pairwise(readings)
    ]
    return max(rates, default=0.0)


def have_ended(before: ApiCounters, now: ApiCounters, resources: Iterable[str] = AGENTS_WATCH) -> bool:
    """Whether as many of the agents' watches have ended since then as were open."""
    return all(
        now.ended_watches.get(one, 0.0) - before.ended_watches.get(one, 0.0) >= _needed(before, one)
        for one in resources
    )


def are_open(before: ApiCounters, now: ApiCounters, resources: Iterable[str] = AGENTS_WATCH) -> bool:
    """Whether as many of the agents' watches are open as were then."""
    return all(now.open_watches.get(one, 0.0) >= _needed(before, one) for one in resources)


def _needed(before: ApiCounters, resource: str) -> float:
    return before.open_watches.get(resource, 0.0) - _STRANGERS


def rates_of(before: ApiCounters, after: ApiCounters, resources: Iterable[str]) -> dict[str, float]:
    """Writes a second of each of these resources."""
    seconds = after.at - before.at
    return {one: (after.writes.get(one, 0.0) - before.writes.get(one, 0.0)) / seconds for one in resources}
