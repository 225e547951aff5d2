"""Lists of a member of permission groups beside those of somebody who sees all: the shim's own work, without HTTP.

Between any two lists one instance, or one node, changes, as in a busy cloud: a list that did not change is the same
bytes again for either of them.
"""

from __future__ import annotations

import itertools
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from anka_crds.api import AnkaInstance, AnkaNode, PermissionGroup
from anka_dev.bench.bench import Bench
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_runtime.clock import SystemClock
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.http.authentication import ANONYMOUS, Principal, sent_by
from anka_shim.node.heartbeats import NodeHeartbeats
from anka_shim.node.views import NodeViews
from anka_shim.store.caches import Stores
from anka_shim.vm.views import InstanceViews

_INSTANCES, _GROUPS, _NODES = 10_000, 50, 500
_TURNS = 40
_GOAL = 1.5


def run(bench: Bench) -> None:
    """`access.filtered_list_ratio`: CPU time of the slower kind of list, as a multiple of the list of all."""
    cloud = _Cloud(bench.size(_INSTANCES, 200), bench.size(_GROUPS, 5), bench.size(_NODES, 20))
    turns = bench.size(_TURNS, 3)
    ratios = {}
    for kind, list_, change in (
        ("vm", cloud.instance_views.all, cloud.change_instance),
        ("node", cloud.node_views.all, cloud.change_node),
    ):
        whole, part, most = cloud.compare(list_, change, turns)
        bench.less(f"access.{kind}_list_cpu_ms", 1e3 * whole, "ms")
        bench.less(f"access.{kind}_list_of_one_group_cpu_ms", 1e3 * part, "ms")
        bench.less(f"access.{kind}_list_of_all_groups_cpu_ms", 1e3 * most, "ms")
        ratios[kind] = max(part, most) / whole
    bench.less("access.filtered_list_ratio", max(ratios.values()), goal=_GOAL)


class _Cloud:
    def __init__(self, instances: int, groups: int, nodes: int) -> None:
        self._version = itertools.count(1)
        self._stores = stores = Stores("anka-ci", with_permission_groups=True)
        self._names = [f"group-{number}" for number in range(groups)]
        for number, name in enumerate(self._names):
            resources = [
                {"type": "node", "id": f"mac-{node:03}", "permissions": ["list"]}
                for node in range(number, nodes, groups)
            ]
            spec = {"displayName": name, "resources": resources}
            stores.permission_groups.observe(PermissionGroup.from_api(self._make(name, spec)))
        self._ids = [str(uuid.UUID(int=number)) for number in range(instances)]
        self._nodes = [f"mac-{number:03}" for number in range(nodes)]
        for number in range(instances):
            self.change_instance(number)
        for number in range(nodes):
            self.change_node(number)
        clock, rights = SystemClock(), ResourceRights(stores, is_on=True)
        self.instance_views = InstanceViews(stores, clock, registry="", terminated_seconds=60, rights=rights)
        heartbeats = NodeHeartbeats(KubeClient(Endpoint("http://127.0.0.1:9")), "anka-nodes", clock)
        self.node_views = NodeViews(stores, heartbeats, rights)

    def change_instance(self, number: int) -> None:
        name = self._ids[number % len(self._ids)]
        spec = {"template": "macos", "permissionGroup": self._names[number % len(self._names)], "displayName": "build"}
        made = self._make(name, spec, namespace="anka-ci", status={"phase": "Scheduling"})
        self._stores.instances.observe(AnkaInstance.from_api(made))

    def change_node(self, number: int) -> None:
        made = self._make(self._nodes[number % len(self._nodes)], {}, status={"state": "Active", "cpuCount": 10})
        self._stores.nodes.observe(AnkaNode.from_api(made))

    def compare(
        self, list_: Callable[[], bytes], change: Callable[[int], None], turns: int
    ) -> tuple[float, float, float]:
        """CPU seconds of a list of all, of one group's, and of who has all groups."""
        one, every = frozenset(self._names[:1]), frozenset(self._names)
        senders = (ANONYMOUS, Principal("one", one), Principal("every", every))
        taken: dict[str, list[float]] = {sender.name: [] for sender in senders}
        for turn in range(turns + 1):
            for sender in senders:
                # Of the first group, so that each of the lists is another one now.
                change(turn * len(self._names))
                with sent_by(sender), _measured(taken[sender.name]):
                    list_()
        whole, part, most = (statistics.median(taken[sender.name][1:]) for sender in senders)
        return whole, part, most

    def _make(self, name: str, spec: dict[str, Any], *, namespace: str = "", **more: Any) -> dict[str, Any]:
        metadata = {"name": name, "uid": name, "resourceVersion": str(next(self._version))}
        return {"metadata": {**metadata, **({"namespace": namespace} if namespace else {})}, "spec": spec, **more}


@contextmanager
def _measured(taken: list[float]) -> Iterator[None]:
    started = time.process_time()
    yield
    taken.append(time.process_time() - started)
