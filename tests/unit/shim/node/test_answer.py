from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from anka_crds.api import AnkaInstance, AnkaNode, NodeGroup
from anka_crds.api.node import MacUsage
from anka_shim.node.answer import NodeAnswer, NodeHeartbeat, NodeLoad, capacity, load, node_answer, state
from support.rest import shown as json_of

UNSIGNED = (
    "cpu_count",
    "ram",
    "vm_count",
    "vcpu_count",
    "vram",
    "capacity",
    "vcpu_override",
    "ram_override",
    "disk_size",
    "free_disk_space",
    "anka_disk_usage",
    "timestamp",
)


def node(spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None) -> AnkaNode:
    metadata = {"name": "mac-1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return AnkaNode.from_api({"metadata": metadata, "spec": spec or {}, "status": status or {}})


def instance(phase: str, vm: dict[str, Any] | None = None, **spec: Any) -> AnkaInstance:
    status: dict[str, Any] = {"phase": phase}
    if vm is not None:
        status["vm"] = {"uuid": "u", "name": "n", "status": "running", **vm}
    return AnkaInstance.from_api({"metadata": {"name": "i"}, "spec": {"template": "t", **spec}, "status": status})


def test_a_node_that_never_reported() -> None:
    answer = json_of(node_answer(node(), {}, NodeLoad()))
    NodeAnswer.model_validate(answer)
    assert (answer["state"], answer["host_arch"], answer["groups"]) == ("Offline", "arm64", [])
    assert (answer["node_name"], answer["last_updated"]) == ("mac-1", "2026-01-01T00:00:00Z")


def test_a_node() -> None:
    spec = {"displayName": "MacPro1", "host": "mac.example", "groups": ["ios", "gone"], "maxVmCount": 3}
    status = {
        "state": "Active",
        "ipAddress": "192.168.0.106",
        "hostArch": "amd64",
        "cpuCount": 8,
        "ramGib": 32,
        "diskSizeBytes": 1000,
        "ankaVersion": {
            "product": "Anka",
            "version": "3.5.0",
            "build": "191",
            "license": "entplus",
            "expires": "17-aug",
        },
        "agentVersion": "1.2.3",
        "usage": {"cpuPercent": 27, "ramPercent": 100, "freeDiskBytes": 500, "ankaDiskBytes": 100},
        "templates": [{"uuid": "t-1", "name": "macos", "tag": "v1"}, {"uuid": "t-2", "name": "bare"}],
        "usbDevices": [{"locationId": "336675856", "group": "iphone7"}],
        "updatedAt": "2026-01-02T00:00:00Z",
    }
    ios = NodeGroup.from_api({"metadata": {"name": "ios"}, "spec": {"displayName": "iOS", "fallbackGroup": "any"}})
    groups = {"ios": ios, "gone": None}
    answer = json_of(node_answer(node(spec, status), groups, NodeLoad(2, 8, 8192)))
    NodeAnswer.model_validate(answer)
    assert answer == {
        "node_id": "mac-1",
        "node_name": "MacPro1",
        "cpu_count": 8,
        "ram": 32,
        "vm_count": 2,
        "vcpu_count": 8,
        "vram": 8192,
        "cpu_util": 0.27,
        "ram_util": 1.0,
        "ip_address": "mac.example",
        "state": "Active",
        "capacity": 3,
        "groups": [
            {"id": "ios", "name": "iOS", "description": "", "fallback_group_id": "any"},
            {"id": "gone", "name": "gone", "description": "", "fallback_group_id": None},
        ],
        "anka_version": {
            "product": "Anka",
            "version": "3.5.0",
            "build": "191",
            "license": "entplus",
            "expires": "17-aug",
        },
        "usb_devices": [{"location_id": "336675856", "name": "", "group": "iphone7", "available": True}],
        "capacity_mode": "number",
        "vcpu_override": 0,
        "ram_override": 0,
        "disk_size": 1000,
        "free_disk_space": 500,
        "anka_disk_usage": 100,
        "host_arch": "amd64",
        "templates": [{"uuid": "t-1", "name": "macos", "tag": "v1"}, {"uuid": "t-2", "name": "bare", "tag": ""}],
        "last_updated": "2026-01-02T00:00:00Z",
        "timestamp": 1767312000,
        "agent_version": "1.2.3",
    }
    for field in UNSIGNED:
        assert type(answer[field]) is int
        assert answer[field] >= 0


@pytest.mark.parametrize(
    ("spec", "status", "vms"),
    [
        ({}, {}, 2),
        ({"maxVmCount": 5}, {}, 5),
        ({"capacityMode": "resource"}, {"cpuCount": 8}, 16),
        ({"capacityMode": "resource", "vcpuOverride": 12}, {"cpuCount": 8}, 12),
        ({"capacityMode": "resource"}, {}, 0),
    ],
)
def test_capacity(spec: dict[str, Any], status: dict[str, Any], vms: int) -> None:
    assert capacity(node(spec, status)) == vms


@pytest.mark.parametrize(
    ("drain", "seen", "shown"),
    [
        (False, None, "Offline"),
        (False, "Active", "Active"),
        (True, "Active", "Drain Mode"),
        (True, "Offline", "Offline"),
        (False, "Drain Mode", "Drain Mode"),
        (False, "Inactive (Invalid License)", "Inactive (Invalid License)"),
        (False, "Updating", "Updating"),
        (False, "Unhealthy", "Unhealthy"),
        (True, "Unhealthy", "Unhealthy"),
    ],
)
def test_state(drain: bool, seen: str | None, shown: str) -> None:
    assert state(node({"drainMode": drain}, {"state": seen} if seen else {})) == shown


def test_load_counts_what_holds_a_place() -> None:
    instances = [
        instance("Started", {"cpuCores": 4, "ram": "4G"}),
        instance("Pulling", resources={"vcpu": 2, "memoryMib": 2048}),
        instance("Scheduling"),
        instance("Error", {"status": "stopped", "cpuCores": 64, "ram": "64G"}),
        instance("Error", {"cpuCores": 1, "ram": "512M"}),
        instance("Terminated"),
    ]
    assert load(instances) == NodeLoad(vms=4, vcpus=7, vram_mib=6656)
    assert load([]) == NodeLoad()


@pytest.mark.parametrize(
    ("beat", "updated", "seen"),
    [
        ("2026-01-01T12:04:50+00:00", "2026-01-01T12:00:00Z", "2026-01-01T12:04:50"),
        ("2026-01-01T12:00:00+00:00", "2026-01-01T12:04:50Z", "2026-01-01T12:04:50"),
        (None, "2026-01-01T12:00:00Z", "2026-01-01T12:00:00"),
    ],
)
def test_the_heartbeat_knows_better(beat: str | None, updated: str, seen: str) -> None:
    usage = {"cpuPercent": 1, "ramPercent": 1, "freeDiskBytes": 1}
    one = node({}, {"updatedAt": updated, "usage": usage})
    figures = MacUsage(cpu_percent=50, ram_percent=25, free_disk_bytes=7)
    heartbeat = None if beat is None else NodeHeartbeat(datetime.fromisoformat(beat), figures)
    answer = json_of(node_answer(one, {}, NodeLoad(), heartbeat=heartbeat))
    assert answer["last_updated"].startswith(seen)
    assert answer["timestamp"] == int(datetime.fromisoformat(f"{seen}+00:00").timestamp())
    expected = (0.01, 0.01, 1) if heartbeat is None else (0.5, 0.25, 7)
    assert (answer["cpu_util"], answer["ram_util"], answer["free_disk_space"]) == expected
