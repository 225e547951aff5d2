"""Which node an instance may run on, and the one reason why not."""

from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import NodeState
from anka_crds.rules.resource_permissions import ResourcePermissions
from anka_scheduler.catalog import ResolvedVersion
from anka_scheduler.filters import Owner, Requirements, find_free_device, first_rejection, match_devices
from anka_scheduler.host_port import HostPort
from anka_scheduler.ledger import Claim, Ledger
from anka_scheduler.node import NodeDevice, SchedulableNode
from anka_scheduler.size import VmSize
from support.objects import permission_group

ARM = ResolvedVersion("t", "t", "v1", 0, "arm64")
PHONES = (
    NodeDevice("1", frozenset({"iphone7", "iPhone"})),
    NodeDevice("2", frozenset({"iphone7"})),
    NodeDevice("3", frozenset({"tablet"}), available=False),
)
ROOMY: dict[str, Any] = {"vm_slots": None, "allocatable": VmSize(8, 16384)}


def may_start_on(*nodes: str) -> Owner:
    group = permission_group("ios", nodes={name: ["create_instance"] for name in nodes})
    return Owner("ios", ResourcePermissions([group]))


def asked(**more: Any) -> Requirements:
    return Requirements(more.pop("template", ARM), more.pop("groups", ()), **more)


@pytest.mark.parametrize(
    ("more", "wants", "wanted"),
    [
        ({}, {}, None),
        ({"groups": frozenset({"ios"})}, {"groups": ("ios",)}, None),
        ({"groups": frozenset({"spare"})}, {"groups": ("ios", "spare")}, None),
        ({}, {"groups": ("ios", "spare")}, "is not in group ios"),
        ({"draining": True}, {}, "is draining"),
        ({"state": NodeState.DRAIN}, {}, "is draining"),
        ({"leaving": True}, {}, "is being removed"),
        ({"clock_skewed": True}, {}, "has a wrong clock"),
        ({"clock_skewed": True, "state": NodeState.OFFLINE}, {}, "is offline"),
        ({"state": None}, {}, "is not seen alive yet"),
        ({"state": NodeState.OFFLINE}, {}, "is offline"),
        ({"state": NodeState.INACTIVE}, {}, "is without a valid license"),
        ({"state": NodeState.UPDATING}, {}, "is updating"),
        ({"state": NodeState.UNHEALTHY}, {}, "is unhealthy"),
        ({"arch": "amd64"}, {}, "is not arm64"),
        ({"arch": None}, {}, None),
        ({"arch": "amd64"}, {"template": ResolvedVersion("t", "t", "v1", 0)}, None),
        ({"vm_slots": 1}, {}, "is full"),
        ({"vm_slots": 0}, {}, "is full"),
        ({"vlans": frozenset({"12"})}, {"vlan": "12"}, None),
        ({"vlans": frozenset({"12"})}, {"vlan": "1"}, "lacks vlan 1"),
        ({}, {"vlan": "1"}, "lacks vlan 1"),
        ({}, {"usb": "iphone7"}, "lacks usb iphone7"),
        ({"devices": PHONES}, {"usb": "iphone7"}, None),
        ({"devices": PHONES}, {"usb": "iPhone"}, "has usb iPhone in use"),  # somebody has it already
        ({"devices": PHONES}, {"usb": "1"}, "has usb 1 in use"),
        ({"devices": PHONES}, {"usb": "2"}, None),
        ({"devices": PHONES}, {"usb": "tablet"}, "has usb tablet in use"),  # says the Mac
        ({"devices": PHONES}, {"usb": "9"}, "lacks usb 9"),
        # By resource: somebody has 6 vCPUs and 4 GiB of 8 and 16.
        (ROOMY, {"size": VmSize(2, 12288)}, None),
        (ROOMY, {"size": VmSize(3, 1024)}, "lacks vCPUs"),
        (ROOMY, {"size": VmSize(2, 12289)}, "lacks memory"),
        (ROOMY, {"size": VmSize(9, 1024)}, "is too small even when empty"),
        (ROOMY, {"size": VmSize(1, 16385)}, "is too small even when empty"),
        ({**ROOMY, "vm_slots": 1}, {"size": VmSize(1, 1)}, "is full"),  # Apple's limit, in mode resource too
        ({}, {"ports": frozenset({HostPort("tcp", 8080)})}, "has port 8080 in use"),
        ({}, {"ports": frozenset({HostPort("tcp", 8081), HostPort("udp", 8080)})}, None),
        ({}, {"refused": frozenset({"mac-1"})}, "has refused it"),
        ({}, {"refused": frozenset({"mac-2"})}, None),
        ({}, {"owner": may_start_on("mac-1")}, None),
        ({}, {"owner": may_start_on()}, None),
        ({}, {"owner": may_start_on("mac-2")}, "is closed to permission group ios"),
        ({"arch": "amd64"}, {"owner": may_start_on("mac-2")}, "is closed to permission group ios"),
        # By number the size does not matter.
        ({}, {"size": VmSize(99, 999_999)}, None),
        # What waiting does not change is told before what it does, and before what people change.
        ({"vm_slots": 1, "arch": "amd64"}, {}, "is not arm64"),
        ({"vm_slots": 1}, {"groups": ("ios",)}, "is not in group ios"),
        ({"state": NodeState.OFFLINE}, {"usb": "iphone7"}, "lacks usb iphone7"),
        ({"vm_slots": 1, "draining": True}, {}, "is draining"),
    ],
)
def test_obstacle(more: dict[str, Any], wants: dict[str, Any], wanted: str | None) -> None:
    ledger = Ledger()
    ledger.record("somebody", Claim("mac-1", VmSize(6, 4096), "1", frozenset({HostPort("tcp", 8080)})))
    node = SchedulableNode("mac-1", **{"state": NodeState.ACTIVE, "arch": "arm64", "vm_slots": 2, **more})
    found = first_rejection(node, asked(**wants), ledger.usage("mac-1"))
    assert (found.predicate if found else None) == wanted


def test_every_state_but_active_is_an_obstacle() -> None:
    for state in NodeState:
        free = SchedulableNode("mac-1", state, vm_slots=1)
        assert (first_rejection(free, asked(), Ledger().usage("mac-1")) is None) == (state is NodeState.ACTIVE)


def test_a_location_means_exactly_that_device() -> None:
    """Also where another device has that number for a name."""
    node = SchedulableNode("mac-1", devices=(NodeDevice("1", frozenset()), NodeDevice("2", frozenset({"1"}))))
    assert [device.location for device in match_devices(node, "1")] == ["1"]


def test_the_first_free_device_of_a_group_by_location() -> None:
    node, ledger = SchedulableNode("mac-1", devices=PHONES), Ledger()
    found = []
    for uid in "ab":
        location = find_free_device(node, "iphone7", ledger.usage("mac-1"))
        found.append(location)
        ledger.record(uid, Claim("mac-1", usb=location))
    assert found == ["1", "2"]
    assert find_free_device(node, "iphone7", ledger.usage("mac-1")) is None
    ledger.record("a", None)
    assert find_free_device(node, "iphone7", ledger.usage("mac-1")) == "1"
