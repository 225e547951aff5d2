"""A Mac's agent watches saves and distributions only while there are any for it, whatever dies meanwhile."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from anka_sim.mac import faults
from anka_sim.mac.store import FileStore, read_json
from support.cloud import FAST_MAC, TAG

pytestmark = pytest.mark.e2e

PATIENCE_SECONDS = 60.0
ALWAYS = {"ankainstances", "ankanodes"}
MAC = "mac-01"
SLOWLY = {**FAST_MAC, "delays": {**FAST_MAC["delays"], "pull_bytes_per_second": 10_000_000}}  # type: ignore[dict-item]


class Desk:
    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.mac = cloud.macs[MAC]
        assert self.mac.agent is not None
        self.agent = self.mac.agent
        assert cloud.registry is not None
        self.registry = cloud.registry

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.cloud.rest(method, path, body)
        assert answer["status"] == "OK", answer
        return answer.get("body")

    def until(self, true: Callable[[], Any], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not true():
            assert time.monotonic() < deadline, f"{what}; {self.assigned()}"
            time.sleep(0.05)

    def assigned(self) -> dict[str, bool]:
        node = json.loads(self.cloud.kubectl.run("get", "ankanode", MAC, "--output=json"))
        return dict(node["status"].get("assigned", {}))

    def watched(self) -> set[str]:
        """The kinds whose watches are open, in the agent's metrics; nothing while it does not run."""
        port = next(word.partition("=")[2] for word in self.agent.argv if word.startswith("--health-port="))
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            return set()
        return set(re.findall(r'^anka_kube_last_event_age_seconds\{resource="(\w+)\.', text, re.MULTILINE))

    def at_rest(self) -> None:
        self.until(lambda: self.watched() == ALWAYS, "two watches")
        assert self.assigned() == {"saves": False, "distributions": False}

    def restart_operator(self) -> None:
        for operator in self.cloud.operators:
            operator.kill()
            operator.start()

    def restart_agent(self) -> None:
        self.agent.kill()
        self.agent.start()

    def state(self, id_: str) -> str:
        answer = self.cloud.rest("GET", f"/api/v1/vm?id={id_}")
        return str(answer["body"]["instance_state"]) if answer["status"] == "OK" else "gone"

    def image(self, request: str) -> str:
        return str(self.rest("GET", f"/api/v1/image?id={request}")["status"])


@pytest.fixture(scope="module")
def desk(make_cloud: Callable[[], LocalCloud]) -> Desk:
    cloud = make_cloud()
    cloud.start_operator("--registry-seconds=1")
    cloud.start_shim()
    cloud.add_mac(MAC, "--max-vm-count=4", "--heartbeat=2", "--lease-duration=8", "--poll=0.5", **SLOWLY)
    cloud.wait_ready()
    return Desk(cloud)


@pytest.mark.parametrize("dies", ["nobody", "agent", "operator"])
def test_a_save(desk: Desk, dies: str) -> None:
    desk.at_rest()
    (id_,) = desk.rest("POST", "/api/v1/vm", {"vmid": desk.registry.templates[0], "tag": TAG})
    desk.until(lambda: desk.state(id_) == "Started", "a start")
    assert desk.watched() == ALWAYS, "an instance alone opens nothing"
    store = FileStore(str(desk.mac.directory))
    fault = {"action": "hang", "when": "before", "code": 1, "message": "", "times": 1, "seconds": 2}
    faults.add(store, {"command": "registry push", **fault})
    body = {"id": id_, "target_vm_id": desk.registry.templates[0], "tag": f"saved-{dies}"}
    request = desk.rest("POST", "/api/v1/image", body)["request_id"]
    desk.until(lambda: not read_json(str(desk.mac.directory / "faults.json")), "a push")
    assert desk.watched() == ALWAYS | {"saveimages"}
    if dies == "agent":
        desk.restart_agent()
    elif dies == "operator":
        desk.restart_operator()
    desk.until(lambda: desk.image(request) in ("done", "error"), "the end of the save")
    assert desk.image(request) == "done"
    desk.until(lambda: desk.state(id_) in ("Terminated", "gone"), "the end of the instance")
    desk.at_rest()


@pytest.mark.parametrize("dies", ["nobody", "agent", "operator"])
def test_a_distribution(desk: Desk, dies: str) -> None:
    desk.at_rest()
    template = desk.registry.add_template(f"to-all-{dies}", ["v1"], size=40_000_000)
    desk.cloud.wait_for(f"ankatemplate/{template}", "create", "condition=Ready")
    request = desk.rest("POST", "/api/v1/registry/vm/distribute", {"template_id": template, "tag": "v1"})["request_id"]
    desk.until(lambda: desk.watched() == ALWAYS | {"templatedistributions"}, "a third watch")
    if dies == "agent":
        desk.restart_agent()
    elif dies == "operator":
        desk.restart_operator()
    desk.cloud.wait_for(f"templatedistribution/{request}", "condition=Ready")
    assert any(vm["uuid"] == template for vm in desk.mac.run("list") or [])
    desk.at_rest()
