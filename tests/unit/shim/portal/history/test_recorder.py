"""What the watches tell, as history."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any, cast

from anka_crds.api import AnkaInstance
from anka_crds.api.node import MacUsage
from anka_kube.resource import key_of
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.node.answer import NodeHeartbeat
from anka_shim.node.heartbeats import NodeHeartbeats
from anka_shim.portal.history.recorder import HistoryRecorder, count_slots
from anka_shim.store.caches import Stores
from support.manual_clock import ManualClock
from support.objects import START, TEMPLATE, instance, node

_versions = itertools.count(10)


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


class Heartbeats:
    def __init__(self) -> None:
        self.known: dict[str, NodeHeartbeat] = {}

    def get(self, name: str) -> NodeHeartbeat | None:
        return self.known.get(name)


class Scene:
    def __init__(self) -> None:
        self.stores = Stores("default")
        self.clock = ManualClock(START)
        self.beats = Heartbeats()
        self.history = HistoryRecorder(
            self.stores, cast(NodeHeartbeats, self.beats), self.clock, ResourceRights(self.stores)
        )

    def tell(self, name: str = "one", **status: Any) -> AnkaInstance:
        """The watch shows the instance in this state."""
        told = instance(name, status=status, meta={"resourceVersion": str(next(_versions))})
        self.stores.instances.observe(told)
        return told

    def gone(self, told: AnkaInstance) -> None:
        self.stores.instances.observe_deleted(key_of(told), told.metadata.uid, str(next(_versions)))

    @property
    def time(self) -> float:
        return self.clock.now().timestamp()


def ready(reason: str, message: str = "") -> dict[str, Any]:
    return {"type": "Ready", "status": "False", "reason": reason, "message": message, "lastTransitionTime": at(0)}


def test_a_life() -> None:
    scene = Scene()
    scene.tell()
    scene.clock.advance(2)
    bound: dict[str, Any] = {"nodeName": "mac-1", "scheduledAt": at(2)}
    bound["template"] = {"id": TEMPLATE, "name": "macos", "tag": "v1"}
    scene.tell(phase="Pulling", **bound)
    scene.clock.advance(10)
    scene.tell(phase="Scheduling", updatedAt=at(11), **bound)
    vm = {"uuid": "u", "name": "n", "status": "running", "creationDate": at(12), "startDate": at(13)}
    told = scene.tell(phase="Started", startedAt=at(15), vm=vm, **bound)
    scene.tell(phase="Started", startedAt=at(15), vm=vm, message="again", **bound)
    starts = scene.history.starts
    assert starts.summarize_starts(scene.time) == {TEMPLATE: {"p50": 13.0, "p95": 13.0, "n": 1}}
    assert starts.summarize_waits(scene.time) == {"p50": 2.0, "p95": 2.0, "n": 1}
    assert starts.count_pulls(scene.time) == {"cached": 0, "pulled": 1}
    medians = {"wait": 2.0, "pull": 9.0, "clone": 1.0, "start": 1.0, "network": 2.0}
    assert starts.find_medians(TEMPLATE, scene.time) == (medians, 1)
    (past,) = scene.history.instances.of_node("mac-1")
    assert (past.result, past.template, past.tag) == ("Started", "macos", "v1")
    scene.gone(told)
    (past,) = scene.history.instances.of_node("mac-1")
    assert (past.result, past.finished_at) == ("Terminated", scene.clock.now())
    assert scene.history.pull_of(told).needed is None


def test_a_failure_is_told_once() -> None:
    scene = Scene()
    bound = {"nodeName": "mac-1", "scheduledAt": at(1)}
    scene.tell(phase="Scheduling", **bound)
    for message in ("boom", "boom again"):
        scene.tell(phase="Error", message=message, finishedAt=at(2), conditions=[ready("StartFailed")], **bound)
    assert scene.history.failures.count_reasons(0) == {"StartFailed": 1}
    last = {"at": "2026-01-01T00:00:00Z", "reason": "StartFailed", "message": "boom", "instance": "uid-one"}
    assert scene.history.node_failures("mac-1") == {"count": 1, "last": last}
    assert scene.history.node_failures("mac-2") is None
    (past,) = scene.history.instances.of_node("mac-1")
    assert (past.result, past.reason, past.message) == ("Error", "StartFailed", "boom again")


def test_a_mac_that_could_not_start_it() -> None:
    scene = Scene()
    scene.tell(phase="Scheduling", nodeName="mac-1", scheduledAt=at(1))
    refusal = {"nodeName": "mac-1", "reason": "NoSpace", "message": "full"}
    scene.tell(phase="Scheduling", nodeName="mac-1", scheduledAt=at(1), refusals=[refusal])
    scene.tell(phase="Scheduling", nodeName="mac-2", scheduledAt=at(3), refusals=[refusal])
    failures = scene.history.node_failures("mac-1")
    assert failures is not None
    assert (failures["count"], failures["last"]["reason"]) == (1, "NoSpace")
    (first,), (second,) = scene.history.instances.of_node("mac-1"), scene.history.instances.of_node("mac-2")
    assert (first.result, first.reason, second.result) == ("Error", "NoSpace", None)
    scene.tell(phase="Error", nodeName="mac-1", scheduledAt=at(1), refusals=[refusal], conditions=[ready("NoSpace")])
    failures = scene.history.node_failures("mac-1")
    assert failures is not None
    assert failures["count"] == 1


def test_what_was_before_is_in_no_figure() -> None:
    scene = Scene()
    scene.tell("old", phase="Started", nodeName="mac-1", scheduledAt=at(-60), startedAt=at(-50))
    scene.tell("bad", phase="Error", nodeName="mac-1", scheduledAt=at(-60), finishedAt=at(-50))
    scene.tell("new", phase="Started", nodeName="mac-1", scheduledAt=at(1), startedAt=at(2))
    assert scene.history.starts.summarize_starts(scene.time)[TEMPLATE]["n"] == 1
    assert scene.history.failures.count_reasons(0) == {}
    assert len(scene.history.instances.of_node("mac-1")) == 3


def test_samples() -> None:
    scene = Scene()
    scene.stores.nodes.observe(node("mac-1", slots=2))
    scene.stores.nodes.observe(node("mac-2", state="Offline"))
    scene.tell("runs", phase="Scheduling", nodeName="mac-1", scheduledAt=at(0))
    scene.tell("runs", phase="Started", nodeName="mac-1", scheduledAt=at(0), startedAt=at(1))
    scene.tell("waits")
    scene.clock.advance(7)
    scene.history.take_sample()
    scene.history.take_sample()
    series = scene.history.samples.to_series()
    assert {name: values[0] for name, values in series.items()} == {
        "t": int(scene.time),
        "running": 1,
        "waiting": 1,
        "capacity": 2,
        "oldestWait": 7,
        "started": 1,
        "failed": 0,
    }
    assert series["started"] == [1, 0]


def test_usage_is_that_of_the_heartbeat_while_it_is_fresh() -> None:
    scene = Scene()
    scene.stores.nodes.observe(node("mac-1", status={"usage": {"cpuPercent": 10, "ramPercent": 20}}))
    scene.beats.known["mac-1"] = NodeHeartbeat(START, MacUsage(cpu_percent=50, ram_percent=60))
    scene.tell("runs", phase="Started", nodeName="mac-1", scheduledAt=at(0))
    scene.history.take_usages()
    scene.clock.advance(600)
    scene.history.take_usages()
    assert [row[1:] for row in scene.history.usages.of_node("mac-1")] == [(1, 50, 60), (1, 10, 20)]


def test_a_node_that_is_gone_is_forgotten() -> None:
    scene = Scene()
    mac = node("mac-1")
    scene.stores.nodes.observe(mac)
    scene.history.take_usages()
    scene.tell("runs", phase="Started", nodeName="mac-1", scheduledAt=at(0))
    scene.stores.nodes.observe_deleted(key_of(mac), mac.metadata.uid, str(next(_versions)))
    assert scene.history.usages.of_node("mac-1") == []
    assert list(scene.history.instances.of_node("mac-1")) == []


def test_slots() -> None:
    assert count_slots(node(slots=3)) == 3
    assert count_slots(node(slots=3, drainMode=True)) == 0
    by_resource: dict[str, Any] = {"capacityMode": "resource", "vcpuOverride": 16, "ramOverrideGib": 64}
    assert count_slots(node(arch="amd64", slots=9, **by_resource)) == 4
    assert count_slots(node(arch="arm64", slots=2, **by_resource)) == 2
