from __future__ import annotations

from typing import Any

from anka_crds.api import AnkaInstance, AnkaNode
from anka_shim.devices.answer import usb_answer, vlan_answer
from support.rest import shown


def node(state: str | None = "Active", **status: Any) -> AnkaNode:
    return AnkaNode.from_api({"metadata": {"name": "n"}, "spec": {}, "status": {"state": state, **status}})


def nobody(_: str) -> list[AnkaInstance]:
    return []


def bound(asked: str | None = None, **status: Any) -> AnkaInstance:
    spec = {"template": "t", **({"usbDevice": asked} if asked else {})}
    return AnkaInstance.from_api({"metadata": {"name": "i"}, "spec": spec, "status": {"nodeName": "n", **status}})


def usb(location: str, group: str | None = None, *, available: bool = True) -> dict[str, Any]:
    return {"locationId": location, "group": group, "available": available}


def test_usb_devices_are_counted_by_group() -> None:
    nodes = [
        node(usbDevices=[usb("1", "iphone7"), usb("2", "iphone7", available=False), usb("3")]),
        node("Drain Mode", usbDevices=[usb("1", "iphone7"), usb("2", "tablet", available=False)]),
        node("Offline", usbDevices=[usb("1", "iphone7")]),
        node(None, usbDevices=[usb("1", "iphone7")]),
    ]
    assert shown(usb_answer(nodes, nobody)) == {
        "iphone7": {"available": 2, "busy": 1},
        "3": {"available": 1, "busy": 0},
        "tablet": {"available": 0, "busy": 1},
    }
    assert usb_answer([node()], nobody) == {}


def test_a_device_is_busy_while_an_instance_has_it() -> None:
    """As the scheduler counts: the Mac may not have noticed yet, and a failed instance has given it back."""
    vm = {"uuid": "u", "name": "n", "status": "running"}
    instances = [
        bound(usbDevice="1"),
        bound("phone", phase="Started"),
        bound(usbDevice="3", phase="Error"),
        bound(usbDevice="4", phase="Error", vm=vm),
        bound("5"),  # from before the operator chose devices
    ]
    there = node(usbDevices=[usb(str(number), "phone") for number in range(1, 8)])
    assert shown(usb_answer([there], lambda name: instances if name == "n" else [])) == {
        "phone": {"available": 4, "busy": 3}
    }


def test_vlans_are_sorted_and_each_there_once() -> None:
    nodes = [node(vlans=["55", "12", "4"]), node(vlans=["12", "odd", "100"]), node("Offline", vlans=["7"])]
    assert vlan_answer(nodes) == ["4", "12", "55", "100", "odd"]
    assert vlan_answer([]) == []
