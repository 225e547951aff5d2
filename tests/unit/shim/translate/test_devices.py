from __future__ import annotations

from typing import Any

from anka_crds.api import AnkaNode
from anka_shim.translate.devices import usb_answer, vlan_answer


def node(state: str | None = "Active", **status: Any) -> AnkaNode:
    return AnkaNode.from_api({"metadata": {"name": "n"}, "spec": {}, "status": {"state": state, **status}})


def usb(location: str, group: str | None = None, *, available: bool = True) -> dict[str, Any]:
    return {"locationId": location, "group": group, "available": available}


def test_usb_devices_are_counted_by_group() -> None:
    nodes = [
        node(usbDevices=[usb("1", "iphone7"), usb("2", "iphone7", available=False), usb("3")]),
        node("Drain Mode", usbDevices=[usb("1", "iphone7"), usb("2", "tablet", available=False)]),
        node("Offline", usbDevices=[usb("1", "iphone7")]),
        node(None, usbDevices=[usb("1", "iphone7")]),
    ]
    assert usb_answer(nodes) == {
        "iphone7": {"available": 2, "busy": 1},
        "3": {"available": 1, "busy": 0},
        "tablet": {"available": 0, "busy": 1},
    }
    assert usb_answer([node()]) == {}


def test_vlans_are_sorted_and_each_there_once() -> None:
    nodes = [node(vlans=["55", "12", "4"]), node(vlans=["12", "odd", "100"]), node("Offline", vlans=["7"])]
    assert vlan_answer(nodes) == ["4", "12", "55", "100", "odd"]
    assert vlan_answer([]) == []
