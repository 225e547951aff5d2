"""Small worlds, decided a second time in the plainest way: one instance after the other, every node looked at, straight
from the objects. Both must agree to the letter."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from anka_crds.api import AnkaInstance, AnkaNode
from anka_scheduler.decide import decide
from anka_scheduler.explain import build_input
from support.objects import TEMPLATE, group, instance, node, template

HARDWARE = {"cpuCount": 4, "ramGib": 10}  # in mode resource: 8 vCPUs and 8 GiB
PHONES = [{"locationId": "10", "group": "phone"}, {"locationId": "11", "group": "phone"}]
RESOURCE = {"arch": "amd64", "capacityMode": "resource", "status": HARDWARE}
NODES: list[dict[str, Any]] = [
    {"slots": 1},
    {"slots": 2, "holds": ("v2",)},
    {"slots": 2, "holds": ("v1",), "groups": ["ios"]},
    {"slots": 1, "groups": ["spare"]},
    {"slots": 2, "arch": "amd64"},
    {"slots": 2, "drainMode": True},
    {"slots": 2, "state": "Offline"},
    {"slots": 2, "state": "Unhealthy"},
    {"slots": 2, "status": {"usbDevices": PHONES}},
    {"slots": 2, "groups": ["ios"], "status": {"usbDevices": [{"locationId": "10", "group": "phone"}]}},
    {"slots": 2, "status": {"usbDevices": [{"locationId": "10", "available": False}], "vlans": ["7"]}},
    {"slots": 2, "status": {"vlans": ["7"]}},
    {"slots": 2, "capacityMode": "resource", "status": HARDWARE},
    RESOURCE,
    {**RESOURCE, "groups": ["ios"]},
    {**RESOURCE, "vcpuOverride": 4, "groups": ["spare", "ios"]},
]
BIG = {"resources": {"vcpu": 6, "memoryMib": 2048}}
INSTANCES: list[dict[str, Any]] = [
    {},
    {"priority": 1},
    {"tag": "v1"},
    {"group": "ios"},
    {"group": "spare", "priority": 500},
    {"group": "loop"},
    {"node": "mac-0"},
    {"usbDevice": "phone"},
    {"usbDevice": "10"},
    {"network": {"vlan": "7"}},
    {"template": "any-arch"},
    {"template": "any-arch", **BIG},
    {"template": "any-arch", **BIG, "priority": 1, "group": "ios"},
    {"template": "any-arch", "resources": {"vcpu": 1, "memoryMib": 7000}},
    {"template": "nonesuch"},
]
GROUPS = {"ios": "spare", "spare": None, "loop": "loop"}
ANY_ARCH = "11111111-1111-1111-1111-111111111111"
TEMPLATES = [template(), template(ANY_ARCH, "any-arch", ("v1",), arch="")]


@dataclass
class Taken:
    """What the reference has given away on one node."""

    vms: int = 0
    vcpus: int = 0
    memory: int = 0
    usb: set[str] = field(default_factory=set)


def naive(nodes: Sequence[AnkaNode], instances: Sequence[AnkaInstance]) -> list[tuple[str, str, str | None]]:
    """(uid, node, USB device) in the order in which they were decided."""
    taken = {mac.metadata.name: Taken() for mac in nodes}
    decided = []
    for one in sorted(
        instances, key=lambda one: (one.spec.priority, one.metadata.creation_timestamp, one.metadata.uid)
    ):
        best = min(choices(one, nodes, taken), default=None)
        if best is None:
            continue
        name, usb = best[-2], best[-1] or None
        size = wanted(one)
        there = taken[name]
        there.vms += 1
        there.vcpus += size[0]
        there.memory += size[1]
        if usb is not None:
            there.usb.add(usb)
        decided.append((one.metadata.uid, name, usb))
    return decided


def wanted(one: AnkaInstance) -> tuple[int, int]:
    asked = one.spec.resources
    return (asked.vcpu if asked and asked.vcpu else 4), (asked.memory_mib if asked and asked.memory_mib else 4096)


def choices(
    one: AnkaInstance, nodes: Sequence[AnkaNode], taken: dict[str, Taken]
) -> Iterator[tuple[int, int, float, str, str]]:
    spec = one.spec
    template_id, arch, tag = (ANY_ARCH, None, "v1") if spec.template == "any-arch" else (TEMPLATE, "arm64", spec.tag)
    if spec.template == "nonesuch":
        return
    levels = {None: [], "ios": ["ios", "spare"], "spare": ["spare"], "loop": ["loop"]}[spec.group]
    vlans = {vlan for mac in nodes for vlan in mac.status.vlans}
    vcpus, memory = wanted(one)
    for mac in nodes:
        name, there, status = mac.metadata.name, taken[mac.metadata.name], mac.status
        if spec.node not in (None, name) or mac.spec.drain_mode or status.state != "Active":
            continue
        if arch is not None and status.host_arch != arch:
            continue
        group_position = next((number for number, group in enumerate(levels) if group in mac.spec.groups), None)
        if levels and group_position is None:
            continue
        if spec.network is not None and vlans and spec.network.vlan not in status.vlans:
            continue
        usb = ""
        if spec.usb_device is not None:
            free = sorted(
                device.location_id
                for device in status.usb_devices
                if spec.usb_device in (device.location_id, device.group)
                and device.available
                and device.location_id not in there.usb
            )
            if not free:
                continue
            usb = free[0]
        shares = []
        if mac.spec.capacity_mode == "number" or status.host_arch == "arm64":
            if there.vms + 1 > mac.spec.max_vm_count:
                continue
            shares.append(there.vms / mac.spec.max_vm_count)
        if mac.spec.capacity_mode == "resource":
            most = mac.spec.vcpu_override or 8
            if there.vcpus + vcpus > most or there.memory + memory > 8192:
                continue
            shares += [there.vcpus / most, there.memory / 8192]
        held = {row.tag for row in status.templates if row.uuid == template_id}
        pull_effort = 0 if (tag or "v2") in held else 1 if held else 2
        yield group_position or 0, pull_effort, max(shares), name, usb


def agree(macs: Sequence[dict[str, Any]], wants: Sequence[dict[str, Any]]) -> None:
    nodes = [node(f"mac-{number}", **fields) for number, fields in enumerate(macs)]
    instances = [instance(f"i{number}", meta={"age": -number}, **fields) for number, fields in enumerate(wants)]
    seen = build_input(
        nodes=nodes,
        templates=TEMPLATES,
        groups=[group(name, fallback) for name, fallback in GROUPS.items()],
        instances=instances,
    )
    decisions = decide(seen.snapshot, seen.queue, seen.ledger)
    found = [(binding.uid, binding.node, binding.claim.usb) for binding in decisions.bindings]
    assert found == naive(nodes, instances), f"nodes {macs}, instances {wants}"
    bound = {binding.uid for binding in decisions.bindings}
    waiting = len([one for one in instances if one.metadata.uid not in bound])
    assert waiting == 0 or all(why.message and why.reason for why in decisions.unscheduled.values())


def test_all_worlds_of_one_node_and_two_instances() -> None:
    for mac, *wants in itertools.product(NODES, INSTANCES, INSTANCES):
        agree([mac], wants)


@pytest.mark.parametrize("seed", range(8))
def test_worlds_of_three_nodes_and_four_instances(seed: int) -> None:
    """A sample: there are more than 200 million of them."""
    random = Random(seed)
    for _ in range(250):
        agree(random.choices(NODES, k=3), random.choices(INSTANCES, k=4))
