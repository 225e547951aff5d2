"""Macs that cannot start what they are given: it moves, clients see a start that goes on, and the Mac pauses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from anka_sim.mac import faults
from anka_sim.mac.store import FileStore
from localkube.free_ports import free_port
from support.agents import until
from support.cloud import FAST_MAC, TEMPLATE

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def bad_cloud(make_cloud: Callable[[], LocalCloud]) -> LocalCloud:
    """Two Macs that work, until a test breaks one; mac-01 is chosen first."""
    cloud = make_cloud()
    cloud.start_operator()
    cloud.start_shim()
    for name in ("mac-01", "mac-02"):
        cloud.add_mac(name, "--max-vm-count=8", **FAST_MAC)
    cloud.wait_ready()
    return cloud


def break_start(cloud: LocalCloud, mac: str) -> None:
    fault = {"command": "start", "action": "fail", "when": "before", "code": 1, "message": "license expired"}
    faults.add(FileStore(str(cloud.macs[mac].directory)), fault)


def start(cloud: LocalCloud, **parameters: Any) -> list[str]:
    answer = cloud.rest("POST", "/api/v1/vm", {"vmid": TEMPLATE, **parameters})
    assert answer["status"] == "OK", answer
    found: list[str] = answer["body"]
    return found


def shown(cloud: LocalCloud, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.rest("GET", f"/api/v1/vm?id={id_}")["body"]
    return found


def follow(cloud: LocalCloud, id_: str) -> tuple[dict[str, Any], set[str]]:
    """The instance once it is Started or has failed, and the states that a client saw until then."""
    seen: set[str] = set()

    def is_over() -> dict[str, Any] | None:
        one = shown(cloud, id_)
        seen.add(one["instance_state"])
        return one if one["instance_state"] in ("Started", "Error") else None

    return until(is_over, 60), seen


def end(cloud: LocalCloud, *ids: str) -> None:
    for id_ in ids:
        cloud.rest("DELETE", "/api/v1/vm", {"id": id_})
    until(lambda: not any(mac.vms() for mac in cloud.macs.values()), 60, "all VMs are gone")


def node(cloud: LocalCloud, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cloud.kubectl.run("get", "ankanode", name, "--output=json"))["status"]
    return found


def test_what_one_mac_cannot_start_another_does(bad_cloud: LocalCloud) -> None:
    (id_,) = start(bad_cloud, node_id="mac-01")
    assert follow(bad_cloud, id_)[0]["instance_state"] == "Started", "so that the template is not to blame"
    end(bad_cloud, id_)
    break_start(bad_cloud, "mac-01")
    for number in range(3):
        (id_,) = start(bad_cloud)
        one, seen = follow(bad_cloud, id_)
        assert (one["instance_state"], one["node_id"]) == ("Started", "mac-02"), f"start {number}: {one}"
        assert seen <= {"Scheduling", "Pulling", "Started"}
        end(bad_cloud, id_)

    def unhealthy() -> dict[str, Any] | None:
        told = node(bad_cloud, "mac-01")
        return told if told.get("state") == "Unhealthy" else None

    assert "license expired" in until(unhealthy, 60, "mac-01 pauses")["problem"]
    (id_,) = start(bad_cloud, node_id="mac-02")
    assert follow(bad_cloud, id_)[0]["instance_state"] == "Started"
    end(bad_cloud, id_)


def test_of_two_with_one_port_of_the_mac_the_second_waits(bad_cloud: LocalCloud) -> None:
    port = free_port()
    rules = [{"name": "ssh", "guest_port": 22, "host_port": port}]
    ids = start(bad_cloud, count=2, node_id="mac-02", port_forwarding_override=rules)
    (first,) = until(lambda: [id_ for id_ in ids if shown(bad_cloud, id_)["instance_state"] == "Started"], 60)
    (second,) = set(ids) - {first}
    path = '--output=jsonpath={.status.conditions[?(@.type=="Scheduled")].message}'
    get = ("get", "ankainstance", second, "--namespace=anka-ci", path)
    until(lambda: bad_cloud.kubectl.run(*get) == f"Node mac-02 has port {port} in use", 60)
    bad_cloud.rest("DELETE", "/api/v1/vm", {"id": first})
    assert follow(bad_cloud, second)[0]["instance_state"] == "Started"
    end(bad_cloud, second)


def test_where_no_other_mac_could_it_fails_with_the_reason(bad_cloud: LocalCloud) -> None:
    break_start(bad_cloud, "mac-02")
    (id_,) = start(bad_cloud)
    one, seen = follow(bad_cloud, id_)
    assert (one["instance_state"], seen) == ("Error", seen & {"Scheduling", "Pulling", "Error"})
    assert one["message"] == "the VM cannot be started: anka start: license expired"
    end(bad_cloud, id_)
