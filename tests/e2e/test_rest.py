"""What REST asks for, done by operator, agents and registry: the parts that only they can show."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from anka_dev.cloud import LocalCloud
from support.cloud import FAST_MAC, TEMPLATE

pytestmark = pytest.mark.e2e

PATIENCE_SECONDS = 60.0


class Rest:
    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.url = cloud.urls[0]

    def body(self, method: str, path: str, **data: Any) -> Any:
        answer = httpx.request(method, self.url + path, content=json.dumps(data) if data else None, timeout=30).json()
        assert answer["status"] == "OK", answer
        return answer.get("body")

    def until(self, true: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := true()):
            assert time.monotonic() < deadline, self.body("GET", "/api/v1/vm")
            time.sleep(0.05)
        return found

    def vm(self, id_: str) -> dict[str, Any]:
        found = self.body("GET", f"/api/v1/vm?id={id_}")
        assert isinstance(found, dict)
        return found

    def started(self, id_: str) -> dict[str, Any]:
        self.until(lambda: self.vm(id_)["instance_state"] == "Started")
        return self.vm(id_)

    def start(self, **parameters: Any) -> str:
        (id_,) = self.body("POST", "/api/v1/vm", vmid=TEMPLATE, **parameters)
        return str(id_)


@pytest.fixture(scope="module")
def rest(make_cloud: Callable[[], LocalCloud]) -> Rest:
    cloud = make_cloud()
    cloud.start_operator("--registry-seconds=1")
    cloud.start_shim()
    for name in ("mac-01", "mac-02"):
        cloud.add_mac(name, "--max-vm-count=4", "--heartbeat=2", "--lease-duration=8", **FAST_MAC)
    cloud.wait_ready()
    return Rest(cloud)


def test_groups_and_drain_decide_where_vms_go(rest: Rest) -> None:
    spare = rest.body("POST", "/api/v1/group", name="spare")["id"]
    first = rest.body("POST", "/api/v1/group", name="first", fallback_group_id=spare)["id"]
    rest.body("POST", "/api/v1/node/group", group_ids=[first], node_ids=["mac-02"])
    rest.body("POST", "/api/v1/node/group", group_ids=[spare], node_ids=["mac-01"])
    one = rest.start(group_id=first)
    assert rest.started(one)["node_id"] == "mac-02"
    rest.body("POST", "/api/v1/node/config", node_id="mac-02", drain_mode=True)
    # The operator agrees: it is not only the shim's guess. It learns of Macs and of instances by two streams.
    rest.cloud.wait_for("ankanode/mac-02", "jsonpath={.status.state}=Drain Mode")
    two = rest.start(group_id=first)
    assert rest.started(two)["node_id"] == "mac-01"
    rest.body("POST", "/api/v1/node/config", node_id="mac-02", drain_mode=False)
    rest.body("DELETE", f"/api/v1/group?id={first}")
    rest.body("DELETE", f"/api/v1/group?id={spare}")
    assert all(node["groups"] == [] for node in rest.body("GET", "/api/v1/node"))
    for id_ in (one, two):
        rest.body("DELETE", "/api/v1/vm", id=id_)
    rest.until(lambda: all(node["vm_count"] == 0 for node in rest.body("GET", "/api/v1/node")))


def test_a_restart_starts_the_same_vm_anew(rest: Rest) -> None:
    id_ = rest.start()
    before = rest.started(id_)["vminfo"]
    # Anka's dates have whole seconds, and this Mac is fast.
    over = datetime.fromisoformat(before["start_date"]) + timedelta(seconds=1)
    rest.until(lambda: datetime.now(UTC) >= over)
    rest.body("POST", "/api/v1/rpc/vm/restart", instance_id=id_)
    rest.until(lambda: rest.vm(id_)["vminfo"]["start_date"] > before["start_date"])

    def runs() -> bool:
        after = rest.vm(id_)
        return (after["instance_state"], after["vminfo"]["status"]) == ("Started", "running")

    rest.until(runs)
    assert rest.vm(id_)["vminfo"]["uuid"] == before["uuid"]
    rest.body("DELETE", "/api/v1/vm", id=id_)


def test_what_rest_does_to_the_registry_is_mirrored(rest: Rest) -> None:
    registry = rest.cloud.registry
    assert registry is not None
    uuid = registry.add_template("fruit", ["v1", "v2"], size=1_000_000)

    def tags() -> list[str]:
        listed = [row["id"] for row in rest.body("GET", "/api/v1/registry/vm")]
        if uuid not in listed:
            return []
        return [version["tag"] for version in rest.body("GET", f"/api/v1/registry/vm?id={uuid}")["versions"]]

    rest.until(lambda: tags() == ["v1", "v2"])
    shown = rest.body("GET", f"/api/v1/registry/vm?id={uuid}")
    assert shown["size"] > 0
    assert all(version["last_push"] > 1_700_000_000 for version in shown["versions"])
    rest.body("DELETE", f"/api/v1/registry/revert?id={uuid}", tag="v2")
    assert tags() == ["v1"]
    rest.cloud.wait_for(f"ankatemplate/{uuid}", "jsonpath={.status.latestTag}=v1")
    # What is pushed after that comes through: what we did hides nothing newer.
    registry.add_template("fruit", ["v3"], size=1_000_000, uuid=uuid)
    rest.until(lambda: tags() == ["v1", "v3"])
    rest.body("DELETE", f"/api/v1/registry/vm?id={uuid}")
    assert tags() == []
    rest.cloud.wait_for(f"ankatemplate/{uuid}", "delete")
    assert tags() == []
    assert rest.until(lambda: rest.body("GET", "/api/v1/registry/disk"))["total"] > 0
