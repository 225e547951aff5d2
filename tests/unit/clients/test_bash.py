from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clients.bash import Bash
from clients.failing import Broken, Reported
from clients.pace import Unhurried
from support.legacy_answers import ID, NODE, STATUS, TEMPLATE, VM, early, vm
from support.scripted_controller import Scripted, ScriptedController, fail, ok

CONFIG = "POST /api/v1/node/config"
DISTRIBUTE = "/api/v1/registry/vm/distribute"


@pytest.fixture
def bash(controller: ScriptedController) -> Bash:
    controller.on("GET /api/v1/status", ok(STATUS))
    controller.on("GET /api/v1/node", ok([NODE]))
    return Bash(controller.url, Unhurried(), "mac-1")


@pytest.mark.parametrize(("version", "number"), [("1.50.1-24e848a5", 1501), ("1.40.0", 1400)])
def test_versions(controller: ScriptedController, bash: Bash, version: str, number: int) -> None:
    controller.on("GET /api/v1/status", ok({**STATUS, "version": version}))
    assert bash.version() == number


@pytest.mark.parametrize("version", ["1.50.1rc1-24e848a5", "v1.50.1-2", "1.50.1+dev", None])
def test_versions_that_are_no_number(controller: ScriptedController, bash: Bash, version: Any) -> None:
    controller.on("GET /api/v1/status", ok({**STATUS, "version": version}))
    with pytest.raises(Broken, match="integer expression expected"):
        bash.version()


def test_authentication_is_known_by_its_words(controller: ScriptedController, bash: Bash) -> None:
    controller.on("GET /api/v1/status", ok(STATUS), fail("Authentication Required", 401), fail("log in", 401))
    assert [bash.needs_authentication() for _ in range(3)] == [False, True, False]


def test_draining_and_leaving(controller: ScriptedController, bash: Bash) -> None:
    controller.on("GET /api/v1/node", ok([]), ok([{**NODE, "node_name": "mac-10"}]), ok([NODE]))
    controller.on(CONFIG, ok(), fail("no such node"))
    controller.on("DELETE /api/v1/node", ok())
    assert bash.await_node() == "mac-1"
    bash.drain(False)
    sent = controller.sent[-1]
    assert sent.json == {"node_id": "mac-1", "drain_mode": False}
    assert "Content-Type: application/x-www-form-urlencoded" in sent.headers
    with pytest.raises(Reported, match="no such node"):
        bash.drain(True)
    bash.leave()
    assert controller.sent[-1].json == {"node_id": "mac-1"}
    assert bash.pace.waited == 2


def test_node_lists_it_breaks_on(controller: ScriptedController, bash: Bash) -> None:
    controller.on("GET /api/v1/node", ok(None))
    with pytest.raises(Broken, match="jq: "):
        bash.node_id()


def distribution(status: Any) -> Scripted:
    return ok({"distribute_status": {} if status is None else {"mac-1": {"status": status, "progress": 0}}})


def test_distributing(controller: ScriptedController, bash: Bash) -> None:
    controller.on(f"POST {DISTRIBUTE}", ok({"request_id": "r-1"}))
    controller.on(f"GET {DISTRIBUTE}", *map(distribution, (None, None, False, False, False, False, True)))
    bash.distribute(TEMPLATE)
    assert [sent.json for sent in controller.sent if sent.method == "POST"] == [
        {"template_id": TEMPLATE, "node_ids": ["mac-1"]}
    ]
    assert controller.requests().count(f"GET {DISTRIBUTE}?id=r-1") == 7


@pytest.mark.parametrize("status", [None, "null"])
def test_a_distribution_that_the_node_does_not_take_up(controller: ScriptedController, bash: Bash, status: Any) -> None:
    controller.on(f"POST {DISTRIBUTE}", ok({"request_id": "r-1"}))
    controller.on(f"GET {DISTRIBUTE}", distribution(status))
    with pytest.raises(Reported, match="failed to pull"):
        bash.distribute(TEMPLATE)
    assert bash.pace.waited == 3


def test_packages(controller: ScriptedController, bash: Bash, tmp_path: Path) -> None:
    controller.on("GET /pkg/AnkaAgent.pkg", Scripted(b"xar!..."))
    controller.on("GET /pkg/AnkaAgentArm.pkg", fail("no", 404))
    assert bash.package("AnkaAgent.pkg", tmp_path / "agent.pkg") == 7
    with pytest.raises(Reported, match="404"):
        bash.package("AnkaAgentArm.pkg", tmp_path / "arm.pkg")


def test_the_registry(controller: ScriptedController, bash: Bash) -> None:
    controller.on("GET /api/v1/status", ok({**STATUS, "registry_address": controller.url}))
    controller.on("GET /registry/status", ok({}), fail("away"))
    controller.on("POST /log", ok(), fail("full"))
    assert [bash.registry_answers() for _ in range(2)] == [True, False]
    bash.log("joining")
    assert controller.sent[-1].json["content"] == "joining"
    with pytest.raises(Reported, match="full"):
        bash.log("joining")


def test_a_vm_by_hand(controller: ScriptedController, bash: Bash) -> None:
    controller.on("POST /api/v1/vm", ok([ID]), fail("No such tag v"))
    controller.on("GET /api/v1/vm", ok(early()), ok(early("Pulling")), ok(VM), ok(VM), ok(vm(instance_state="Error")))
    controller.on("DELETE /api/v1/vm", ok())
    id_ = bash.start(vmid=TEMPLATE)
    assert bash.await_started(id_) == ("192.168.0.200", 10001)
    bash.terminate(id_)
    with pytest.raises(Reported, match=f"{ID}: Error"):
        bash.await_started(id_)
    with pytest.raises(Reported, match="No such tag v"):
        bash.start(vmid=TEMPLATE)
