"""A fleet and a queue in memory: the only place of the benchmarks that calls the operator's scheduler."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from anka_crds.api import AnkaInstance, AnkaNode, AnkaTemplate, NodeGroup
from anka_dev.bench.cluster_objects import TAG, TEMPLATE, TEMPLATE_NAME
from anka_operator.cluster.stores import ClusterStores
from anka_operator.registry_view.view import RegistryView
from anka_operator.scheduling.state import SchedulerState
from anka_scheduler.decide import decide

GROUPS = ("ios", "macos", "nightly", "release")
SHAPES = 16
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class PendingInstances:
    """`pending` instances of SHAPES kinds in four groups, and `nodes` nodes with just enough capacity."""

    def __init__(self, nodes: int, pending: int) -> None:
        stores = ClusterStores()
        stores.templates.apply_written(_template())
        for group in GROUPS:
            stores.groups.apply_written(NodeGroup.from_api({"metadata": _metadata(group)}))
        slots = -(-pending // nodes)
        for number in range(nodes):
            stores.nodes.apply_written(_node(number, slots))
        view = RegistryView(stores.templates, None)
        self._board = SchedulerState(stores, view, lambda: None, time.monotonic)
        for number in range(pending):
            stores.instances.apply_written(_instance(number))

    def decide(self, limit: int | None = None) -> int:
        """Run one round and take the bound instances out of the queue; returns their number."""
        state = self._board
        decisions = decide(state.snapshot(), state.queue, state.ledger, limit)
        for binding in decisions.bindings:
            state.queue.remove(binding.uid)
        return len(decisions.bindings)


def _metadata(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": _BEGIN.isoformat(),
        **more,
    }


def _template() -> AnkaTemplate:
    status = {"name": TEMPLATE_NAME, "arch": "arm64", "versions": [{"number": 0, "tag": TAG, "arch": "arm64"}]}
    return AnkaTemplate.from_api({"metadata": _metadata(TEMPLATE), "spec": {}, "status": status})


def _node(number: int, slots: int) -> AnkaNode:
    """Every other one holds the template; each is in two of the four groups."""
    held = [{"uuid": TEMPLATE, "name": TEMPLATE_NAME, "tag": TAG}] if number % 2 else []
    groups = [GROUPS[number % 4], GROUPS[(number + 1) % 4]]
    return AnkaNode.from_api(
        {
            "metadata": _metadata(f"mac-{number:05}"),
            "spec": {"maxVmCount": min(256, slots), "groups": groups},
            "status": {"state": "Active", "hostArch": "arm64", "templates": held},
        }
    )


def _instance(number: int) -> AnkaInstance:
    """Kinds that differ in group and priority, evenly."""
    kind = number % SHAPES
    created = (_BEGIN + timedelta(seconds=number // 100)).isoformat()
    return AnkaInstance.from_api(
        {
            "metadata": _metadata(f"i-{number:06}", namespace="default", creationTimestamp=created),
            "spec": {
                "template": TEMPLATE,
                "group": GROUPS[kind % 4],
                "priority": 1000 + kind // 4,
                **({"tag": TAG} if kind % 2 else {}),
            },
        }
    )
