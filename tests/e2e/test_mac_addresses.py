"""MAC addresses from the pool to the VM and back: operator, agent and REST agree on who has which."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from support.agents import until
from support.cloud import FAST_MAC
from support.mac_pools import FLAG, bind_roles, pool_spec

pytestmark = pytest.mark.e2e

VM, POOL = "/api/v1/vm", "/api/v1/macaddr"
REST_SECONDS = 3


@pytest.fixture(scope="module")
def mac_cloud(make_cloud: Callable[[], LocalCloud]) -> LocalCloud:
    """A pool of three addresses, and a Mac for more VMs than that."""
    cloud = make_cloud()
    bind_roles(cloud.cluster)
    cloud.start_operator(FLAG)
    cloud.start_shim(FLAG)
    cloud.add_mac("mac-01", "--max-vm-count=8", **{**FAST_MAC, "max_running": 8})
    cloud.wait_ready()
    pool = {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": "MACAddressPool",
        "metadata": {"name": "pool"},
        "spec": pool_spec(3, REST_SECONDS),
    }
    cloud.kubectl.run("apply", "--validate=strict", "--filename=-", stdin=json.dumps(pool))
    cloud.wait_for("macaddresspool/pool", "condition=Ready")
    until(lambda: cloud.rest("GET", f"{POOL}?count=1").get("body") == 3, 90)
    return cloud


def start(cloud: LocalCloud, **more: Any) -> dict[str, Any]:
    assert cloud.registry is not None
    return cloud.rest("POST", VM, {"vmid": cloud.registry.templates[0], **more})


def vm(cloud: LocalCloud, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.rest("GET", f"{VM}?id={id_}")["body"]
    return found


def reason(cloud: LocalCloud, id_: str) -> str | None:
    """Why it waits."""
    status = json.loads(cloud.kubectl.run("get", "ankainstance", id_, "-nanka-ci", "-ojson"))["status"]
    return next((one["reason"] for one in status["conditions"] if one["type"] == "Scheduled"), None)


def test_three_addresses_and_four_instances(mac_cloud: LocalCloud) -> None:
    cloud = mac_cloud
    ids = start(cloud, count=3)["body"]
    until(lambda: all(vm(cloud, id_)["instance_state"] == "Started" for id_ in ids), 90)
    given = {id_: vm(cloud, id_)["mac_address"] for id_ in ids}
    assert sorted(given.values()) == [f"02:00:00:00:00:0{last}" for last in (1, 2, 3)]
    on_mac = {row["uuid"]: cloud.macs["mac-01"].run("show", row["uuid"])["mac"] for row in cloud.macs["mac-01"].vms()}
    assert on_mac == {vm(cloud, id_)["vminfo"]["uuid"]: given[id_] for id_ in ids}
    assert cloud.rest("GET", f"{POOL}?in_use=1")["body"] == sorted(given.values())

    (fourth,) = start(cloud)["body"]
    until(lambda: reason(cloud, fourth) == "NoMacAddress", 90)
    freed = ids[0]
    asked_at = time.monotonic()
    assert cloud.rest("DELETE", VM, {"id": freed})["status"] == "OK"
    until(lambda: vm(cloud, fourth)["instance_state"] == "Started", 90)
    assert time.monotonic() - asked_at >= REST_SECONDS
    assert vm(cloud, fourth)["mac_address"] == given[freed]

    taken = start(cloud, mac_address=given[ids[1]])
    assert taken == {
        "status": "FAIL",
        "message": f"mac_address: is used by instance {ids[1]} (given: '{given[ids[1]]}')",
    }
    (own,) = start(cloud, mac_address="0e:00:00:00:00:07")["body"]
    until(lambda: vm(cloud, own)["instance_state"] == "Started", 90)
    assert vm(cloud, own)["mac_address"] == "0E:00:00:00:00:07"
