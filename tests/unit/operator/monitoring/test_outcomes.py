"""Starts and failures are counted once, when they happen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from anka_operator.cluster.stores import ClusterStores
from anka_operator.monitoring.outcomes import OutcomeCounter
from support.objects import instance, template

STARTED = {"phase": "Started", "nodeName": "mac-1"}


@pytest.fixture
def stores() -> Iterator[ClusterStores]:
    stores = ClusterStores()
    stores.templates.observe(template(name="observed"))
    outcomes = OutcomeCounter(stores)
    yield stores
    outcomes.close()


class Watch:
    """How far values have moved since it began."""

    def __init__(self) -> None:
        self._before = {name: self._value(*name) for name in NAMES}

    def moved(self) -> dict[str, float]:
        pairs = ((name, self._value(*name) - before) for name, before in self._before.items())
        return {name[0].removeprefix("anka_operator_"): moved for name, moved in pairs if moved}

    def _value(self, name: str, *labels: tuple[str, str]) -> float:
        return REGISTRY.get_sample_value(name, dict(labels)) or 0.0


NAMES = (
    ("anka_operator_start_seconds_count", ("template", "observed")),
    ("anka_operator_start_seconds_sum", ("template", "observed")),
    ("anka_operator_failed_instances_total", ("reason", "PullFailed"), ("when", "starting")),
    ("anka_operator_failed_instances_total", ("reason", "VmLost"), ("when", "running")),
)


def failed(reason: str, **more: Any) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "False", "reason": reason, "message": "", "lastTransitionTime": None}
    return {"phase": "Error", "conditions": [{**ready, "lastTransitionTime": "2026-01-01T00:00:00Z"}], **more}


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ([{}, {**STARTED, "startedAt": "2026-01-01T00:00:42Z"}], {"start_seconds_count": 1, "start_seconds_sum": 42}),
        (
            [
                {"rescheduledAt": "2026-01-01T00:10:00Z"},
                {**STARTED, "rescheduledAt": "2026-01-01T00:10:00Z", "startedAt": "2026-01-01T00:10:07Z"},
            ],
            {"start_seconds_count": 1, "start_seconds_sum": 7},
        ),
        # A Mac whose clock is late.
        ([{}, {**STARTED, "startedAt": "2025-12-31T23:59:00Z"}], {"start_seconds_count": 1}),
        # It was over before: counted when it happened, by whoever led then.
        ([{**STARTED, "startedAt": "2026-01-01T00:00:42Z"}], {}),
        (
            [{}] + 2 * [{**STARTED, "startedAt": "2026-01-01T00:00:42Z"}],
            {"start_seconds_count": 1, "start_seconds_sum": 42},
        ),
        ([{"phase": "Pulling"}, *2 * [failed("PullFailed")]], {"failed_instances_total": 1}),
        (
            [{**STARTED, "startedAt": "2026-01-01T00:00:42Z"}, failed("VmLost")],
            {"failed_instances_total": 1},
        ),
        ([failed("PullFailed")], {}),
    ],
)
def test_what_is_counted(stores: ClusterStores, changes: list[dict[str, Any]], moved: dict[str, float]) -> None:
    watch = Watch()
    for version, status in enumerate(changes, 1):
        stores.instances.observe(instance(status=status, meta={"version": version}))
    assert watch.moved() == moved


def test_after_the_end_nothing_is_counted() -> None:
    stores, watch = ClusterStores(), Watch()
    OutcomeCounter(stores).close()
    stores.instances.observe(instance(meta={"version": 1}))
    stores.instances.observe(instance(status=failed("PullFailed"), meta={"version": 2}))
    assert watch.moved() == {}
