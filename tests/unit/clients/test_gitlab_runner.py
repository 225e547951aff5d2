from __future__ import annotations

from typing import Any

import pytest

from clients.failing import Reported
from clients.gitlab_runner import GitlabRunner
from clients.golang import DecodeError, Panic
from clients.pace import Unhurried
from support.legacy_answers import GROUP, ID, MISSING, NODE, TEMPLATE, VM, VMINFO, but, early, vm
from support.scripted_controller import DROPPED, Scripted, ScriptedController, fail, ok

SHOW = f"GET /api/v1/vm?id={ID}"
START = "POST /api/v1/vm"


@pytest.fixture
def runner(controller: ScriptedController) -> GitlabRunner:
    controller.on(START, ok([ID]))
    controller.on(SHOW, ok(VM))
    controller.on("GET /api/v1/group", ok([GROUP]))
    controller.on("GET /api/v1/node", ok([NODE]))
    controller.on("DELETE /api/v1/vm", ok())
    return GitlabRunner(controller.url, Unhurried(), {"Host": "controller.example", "X-Project": "p"})


def test_its_way_to_a_vm(controller: ScriptedController, runner: GitlabRunner) -> None:
    no_network = vm(vminfo={**VMINFO, "ip": ""})
    controller.on(SHOW, ok(early()), ok(early("Pulling")), ok(no_network), ok(no_network), ok(VM))
    assert runner.provision(TEMPLATE, "job", group="ci", tag="v1") == (ID, "192.168.0.200", 10001)
    assert controller.requests() == ["GET /api/v1/group", START, *[SHOW] * 5, "GET /api/v1/node?id=mac-1"]
    sent = controller.sent[1]
    assert sent.headers == [
        "Host: controller.example",
        "User-Agent: Go-http-client/1.1",
        f"Content-Length: {len(sent.body)}",
        "Content-Type: application/json",
        "X-Project: p",
        "Accept-Encoding: gzip",
    ]
    assert sent.json == {"vmid": TEMPLATE, "name": "job", "external_id": "job", "tag": "v1", "group_id": "g-1"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ts", ""),
        ("ts", "2026-01-24 11:51:56"),
        ("ts", "Sat, 24 Jan 2026 11:51:56 GMT"),
        ("cr_time", ""),
        ("cr_time", 1727208044),
        ("version", -1),
        ("version", "1"),
        ("progress", "0"),
        ("vminfo.cpu_cores", "4"),
        ("vminfo.cpu_cores", 4.0),
        ("vminfo.ram", 4096),
        ("vminfo.vnc_port", "5900"),
        ("vminfo.port_forwarding.0.host_port", "10001"),
        ("vminfo.node_id", 1),
        ("message", {}),
    ],
)
def test_instances_it_cannot_decode(
    controller: ScriptedController, runner: GitlabRunner, path: str, value: Any
) -> None:
    controller.on(SHOW, ok(but({**VM, "message": ""}, path, value)))
    with pytest.raises(DecodeError):
        runner.show(ID)


@pytest.mark.parametrize("path", ["ts", "vminfo", "version", "message"])
def test_null_passes_in_go(controller: ScriptedController, runner: GitlabRunner, path: str) -> None:
    controller.on(SHOW, ok(but({**VM, "message": ""}, path, None)))
    assert runner.show(ID).instance_id == ID


@pytest.mark.parametrize("field", ["cpu_count", "ram", "vm_count", "vcpu_count", "vram", "capacity"])
@pytest.mark.parametrize("value", [-1, 1.5, "2"])
def test_nodes_it_cannot_decode(controller: ScriptedController, runner: GitlabRunner, field: str, value: Any) -> None:
    controller.on("GET /api/v1/node", ok([{**NODE, field: value}]))
    with pytest.raises(DecodeError, match=field):
        runner.node("mac-1")


def test_the_node_is_looked_up_by_the_vms_own_word(controller: ScriptedController, runner: GitlabRunner) -> None:
    controller.on(SHOW, ok(but(VM, "vminfo.node_id", MISSING)))
    controller.on("GET /api/v1/node?id=", ok([]))
    with pytest.raises(Reported, match="node  not found"):
        runner.provision(TEMPLATE, "job")


def test_a_started_instance_without_a_vm(controller: ScriptedController, runner: GitlabRunner) -> None:
    controller.on(SHOW, ok(but(VM, "vminfo", MISSING)))
    with pytest.raises(Panic, match="nil pointer"):
        runner.provision(TEMPLATE, "job")


@pytest.mark.parametrize("state", ["Stopped", "Stopping", "Terminating", "Terminated", "Error"])
def test_it_ends_what_failed(controller: ScriptedController, runner: GitlabRunner, state: str) -> None:
    controller.on(SHOW, ok(vm(instance_state=state, message="no room")))
    with pytest.raises(Reported, match=f"is {state}: no room"):
        runner.provision(TEMPLATE, "job")
    assert controller.requests()[-1] == "DELETE /api/v1/vm"


@pytest.mark.parametrize("state", ["Pending", "scheduling", "Pushing", ""])
def test_a_word_it_does_not_know_makes_it_spin(
    controller: ScriptedController, runner: GitlabRunner, state: str
) -> None:
    controller.on(SHOW, ok(vm(instance_state=state)))
    with pytest.raises(Panic, match="busy loop"):
        runner.provision(TEMPLATE, "job")


@pytest.mark.parametrize(
    ("answer", "said", "seconds"),
    [(early(), "did not start in time", 5400), (vm(vminfo={**VMINFO, "ip": ""}), "has no network", 300)],
)
def test_its_limits(controller: ScriptedController, runner: GitlabRunner, answer: Any, said: str, seconds: int) -> None:
    controller.on(SHOW, ok(answer))
    with pytest.raises(Reported, match=said):
        runner.provision(TEMPLATE, "job")
    assert runner.pace.waited == seconds


@pytest.mark.parametrize("ids", [[], [ID, ID]])
def test_it_wants_exactly_one(controller: ScriptedController, runner: GitlabRunner, ids: list[str]) -> None:
    controller.on(START, ok(ids))
    with pytest.raises(Reported, match=f"unexpected number of instances: {len(ids)}"):
        runner.start({"vmid": TEMPLATE})


def test_the_http_code_does_not_matter(controller: ScriptedController, runner: GitlabRunner) -> None:
    controller.on(START, Scripted(ok([ID]).body, 503), fail("no", 200), Scripted(b"", 204))
    assert runner.start({"vmid": TEMPLATE}) == ID
    with pytest.raises(Reported, match="no"):
        runner.start({"vmid": TEMPLATE})
    with pytest.raises(DecodeError):
        runner.start({"vmid": TEMPLATE})


def test_it_tries_seven_times(controller: ScriptedController, runner: GitlabRunner) -> None:
    controller.on(START, DROPPED)
    with pytest.raises(Reported, match="POST /api/v1/vm"):
        runner.start({"vmid": TEMPLATE})
    assert (len(controller.sent), runner.pace.waited) == (7, 10 + 20 + 30 + 40 + 50 + 60)
