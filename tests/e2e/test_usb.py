"""USB devices from the request to the VM: operator, agent and REST agree on who has which."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from support.agents import until
from support.cloud import FAST_MAC, TEMPLATE

pytestmark = pytest.mark.e2e

DEVICES = [
    {"name": "iPhone A", "id": "a", "location": "336675856", "group": "iphone7"},
    {"name": "iPhone B", "id": "b", "location": "336675857", "group": "iphone7"},
]


@pytest.fixture(scope="module")
def usb_cloud(make_cloud: Callable[[], LocalCloud]) -> LocalCloud:
    """A Mac with two devices of one group, and one without."""
    cloud = make_cloud()
    cloud.start_operator()
    cloud.start_shim()
    cloud.add_mac("mac-plain", "--max-vm-count=4", **FAST_MAC)
    cloud.add_mac("mac-usb", "--max-vm-count=4", usb=DEVICES, **FAST_MAC)
    cloud.wait_ready()
    return cloud


def status(cloud: LocalCloud, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cloud.kubectl.run("get", "ankainstance", name, "--output=json"))["status"]
    return found


def create(cloud: LocalCloud, name: str, device: str) -> None:
    body = {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": "AnkaInstance",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": TEMPLATE, "usbDevice": device},
    }
    cloud.kubectl.run("apply", "--filename=-", stdin=json.dumps(body))


def owners(cloud: LocalCloud) -> dict[str, str | None]:
    """Location -> VM that has it, as `anka` tells."""
    return {row["location"]: row.get("vm") for row in cloud.macs["mac-usb"].run("usb", "list")}


def test_each_gets_one_device_and_the_third_waits(usb_cloud: LocalCloud) -> None:
    cloud = usb_cloud
    until(lambda: cloud.rest("GET", "/api/v1/usb")["body"] == {"iphone7": {"available": 2, "busy": 0}}, 60)
    for name in ("one", "two"):
        create(cloud, name, "iphone7")
        cloud.wait_for(f"ankainstance/{name}", "condition=Ready")
    seen = {name: status(cloud, name) for name in ("one", "two")}
    assert {name: (one["nodeName"], one["usbDevice"]) for name, one in seen.items()} == {
        "one": ("mac-usb", "336675856"),
        "two": ("mac-usb", "336675857"),
    }
    assert owners(cloud) == {one["usbDevice"]: one["vm"]["name"] for one in seen.values()}
    until(lambda: cloud.rest("GET", "/api/v1/usb")["body"] == {"iphone7": {"available": 0, "busy": 2}}, 60)

    create(cloud, "three", "336675856")
    cloud.wait_for("ankainstance/three", "condition=Scheduled=False")
    [why] = [one["message"] for one in status(cloud, "three")["conditions"] if one["type"] == "Scheduled"]
    assert why == "0/2 nodes fit: 1 has usb 336675856 in use, 1 lacks usb 336675856"

    cloud.kubectl.run("delete", "ankainstance", "one")
    cloud.wait_for("ankainstance/three", "condition=Ready")
    assert status(cloud, "three")["usbDevice"] == "336675856"
    assert owners(cloud)["336675856"] == status(cloud, "three")["vm"]["name"]
