"""Which node an instance may run on, and the one reason why not."""

from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import NodeState
from anka_operator.scheduler.catalog import Resolved
from anka_operator.scheduler.filters import Asked, devices_for, free_device, obstacle
from anka_operator.scheduler.fleet import Device, Node
from anka_operator.scheduler.ledger import Claim, Ledger
from anka_operator.scheduler.size import Size

ARM = Resolved("t", "t", "v1", 0, "arm64")
PHONES = (
    Device("1", frozenset({"iphone7", "iPhone"})),
    Device("2", frozenset({"iphone7"})),
    Device("3", frozenset({"tablet"}), available=False),
)
ROOMY: dict[str, Any] = {"slots": None, "room": Size(8, 16384)}


def asked(**more: Any) -> Asked:
    return Asked(more.pop("template", ARM), more.pop("groups", ()), **more)


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
        ({"state": None}, {}, "is not seen alive yet"),
        ({"state": NodeState.OFFLINE}, {}, "is offline"),
        ({"state": NodeState.INACTIVE}, {}, "is without a valid license"),
        ({"state": NodeState.UPDATING}, {}, "is updating"),
        ({"state": NodeState.UNHEALTHY}, {}, "is unhealthy"),
        ({"arch": "amd64"}, {}, "is not arm64"),
        ({"arch": None}, {}, None),
        ({"arch": "amd64"}, {"template": Resolved("t", "t", "v1", 0)}, None),
        ({"slots": 1}, {}, "is full"),
        ({"slots": 0}, {}, "is full"),
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
        (ROOMY, {"size": Size(2, 12288)}, None),
        (ROOMY, {"size": Size(3, 1024)}, "lacks vCPUs"),
        (ROOMY, {"size": Size(2, 12289)}, "lacks memory"),
        (ROOMY, {"size": Size(9, 1024)}, "is too small even when empty"),
        (ROOMY, {"size": Size(1, 16385)}, "is too small even when empty"),
        ({**ROOMY, "slots": 1}, {"size": Size(1, 1)}, "is full"),  # Apple's limit, in mode resource too
        # By number the size does not matter.
        ({}, {"size": Size(99, 999_999)}, None),
        # What waiting does not change is told before what it does, and before what people change.
        ({"slots": 1, "arch": "amd64"}, {}, "is not arm64"),
        ({"slots": 1}, {"groups": ("ios",)}, "is not in group ios"),
        ({"state": NodeState.OFFLINE}, {"usb": "iphone7"}, "lacks usb iphone7"),
        ({"slots": 1, "draining": True}, {}, "is draining"),
    ],
)
def test_obstacle(more: dict[str, Any], wants: dict[str, Any], wanted: str | None) -> None:
    ledger = Ledger()
    ledger.put("somebody", Claim("mac-1", Size(6, 4096), "1"))
    node = Node("mac-1", **{"state": NodeState.ACTIVE, "arch": "arm64", "slots": 2, **more})
    found = obstacle(node, asked(**wants), ledger.use("mac-1"))
    assert (found.alone if found else None) == wanted


def test_every_state_but_active_is_an_obstacle() -> None:
    for state in NodeState:
        free = Node("mac-1", state, slots=1)
        assert (obstacle(free, asked(), Ledger().use("mac-1")) is None) == (state is NodeState.ACTIVE)


def test_a_location_means_exactly_that_device() -> None:
    """Also where another device has that number for a name."""
    node = Node("mac-1", devices=(Device("1", frozenset()), Device("2", frozenset({"1"}))))
    assert [device.location for device in devices_for(node, "1")] == ["1"]


def test_the_first_free_device_of_a_group_by_location() -> None:
    node, ledger = Node("mac-1", devices=PHONES), Ledger()
    found = []
    for uid in "ab":
        location = free_device(node, "iphone7", ledger.use("mac-1"))
        found.append(location)
        ledger.put(uid, Claim("mac-1", usb=location))
    assert found == ["1", "2"]
    assert free_device(node, "iphone7", ledger.use("mac-1")) is None
    ledger.put("a", None)
    assert free_device(node, "iphone7", ledger.use("mac-1")) == "1"
