from __future__ import annotations

from typing import Any

import pytest

from clients.failing import Reported
from clients.gitlab_executor import GitlabExecutor
from clients.golang import DecodeError, Panic
from clients.pace import Unhurried
from clients.wire import NETWORK_ERRORS
from support.legacy_answers import ELEMENT, ID, MISSING, NODE, ROW, RULE, TEMPLATE, VM, VMINFO, but, early, element, vm
from support.scripted_controller import DROPPED, Scripted, ScriptedController, fail, ok

LIST = "GET /api/v1/vm"
SHOW = f"GET /api/v1/vm?id={ID}"
START = "POST /api/v1/vm"


@pytest.fixture
def gitlab(controller: ScriptedController) -> GitlabExecutor:
    controller.on(START, ok([ID]))
    controller.on(SHOW, ok(VM))
    controller.on(LIST, ok([ELEMENT]))
    controller.on("GET /api/v1/node", ok([NODE]))
    controller.on("DELETE /api/v1/vm", ok())
    return GitlabExecutor(controller.url, Unhurried(), "job-1", {"Authorization": "Bearer x"})


def test_every_byte_of_a_start(controller: ScriptedController, gitlab: GitlabExecutor) -> None:
    gitlab.start(TEMPLATE, tag="v1", priority=5, vcpu=0)
    [sent] = controller.sent
    assert sent.head.split("\r\n") == [
        "POST /api/v1/vm HTTP/1.1",
        f"Host: {controller.url.removeprefix('http://')}",
        "User-Agent: Go-http-client/1.1",
        f"Content-Length: {len(sent.body)}",
        "Authorization: Bearer x",
        "Accept-Encoding: gzip",
    ]
    assert sent.body.decode() == (
        f'{{"vmid":"{TEMPLATE}","external_id":"job-1","tag":"v1","priority":5,"startup_script":"c2xlZXAgNQ==",'
        '"startup_script_condition":0,"script_monitoring":true,"script_timeout":300}'
    )


def test_a_job(controller: ScriptedController, gitlab: GitlabExecutor) -> None:
    controller.on(SHOW, ok(early()), ok(early("Pulling")), ok(early()), ok(VM))
    assert gitlab.prepare(TEMPLATE) == (ID, "192.168.0.200", 10001)
    assert gitlab.pace.waited == 40
    assert gitlab.run() == ("192.168.0.200", 10001)
    assert gitlab.cleanup() == ID
    node = "GET /api/v1/node?id=mac-1"
    assert controller.requests() == [START, *[SHOW] * 4, node, LIST, node, LIST, "DELETE /api/v1/vm"]
    last = controller.sent[-1]
    assert "Content-Type: application/json" in last.headers
    assert last.json == {"id": ID}


@pytest.mark.parametrize("state", ["Error", "Stopping", "Running", "Pending", "started", ""])
def test_any_other_state_fails_the_job(controller: ScriptedController, gitlab: GitlabExecutor, state: str) -> None:
    controller.on(SHOW, ok(vm(instance_state=state)))
    with pytest.raises(Reported, match=f"unexpected state: {state}$"):
        gitlab.prepare(TEMPLATE)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("vminfo.port_forwarding.0.host_port", "10001"),
        ("vminfo.port_forwarding.0.guest_port", 22.0),
        ("vminfo.port_forwarding", {}),
        ("vminfo", []),
        ("instance_state", 1),
        ("node_id", {}),
        ("progress", "0.5"),
        ("external_id", 7),
    ],
)
def test_instances_it_cannot_decode(
    controller: ScriptedController, gitlab: GitlabExecutor, path: str, value: Any
) -> None:
    controller.on(SHOW, ok(but(VM, path, value)))
    with pytest.raises(DecodeError):
        gitlab.show(ID)


@pytest.mark.parametrize("rules", [None, [], [{**RULE, "protocol": "TCP"}], [{**RULE, "guest_port": 23}]], ids=str)
def test_no_rule_for_ssh(gitlab: GitlabExecutor, controller: ScriptedController, rules: Any) -> None:
    controller.on(SHOW, ok(vm(vminfo={**VMINFO, "port_forwarding": rules})))
    with pytest.raises(Reported, match="no port forwarding"):
        gitlab.prepare(TEMPLATE)


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (ok([]), Panic, "out of range"),
        (ok(None), Panic, "out of range"),
        (ok(ID), DecodeError, "body"),
        (ok([1]), DecodeError, "body"),
        (Scripted(b"<html>"), DecodeError, "invalid"),
        (Scripted(ok([ID]).body, 201), Reported, "unexpected status code: 201"),
        (fail("no room"), Reported, "status code: 200, error: no room"),
        (fail("Authentication Required", 401), Reported, "status code: 401, error: Authentication Required"),
        (Scripted(b'{"detail":"x"}', 422), Reported, "status code: 422, error: $"),
    ],
)
def test_starts_it_breaks_on(
    controller: ScriptedController, gitlab: GitlabExecutor, answer: Scripted, error: type[Exception], said: str
) -> None:
    controller.on(START, answer)
    with pytest.raises(error, match=said):
        gitlab.start(TEMPLATE)


@pytest.mark.parametrize("path", ["vm", "vm.external_id", "vm.instance_id", "vm.node_id"])
def test_what_a_list_must_have(controller: ScriptedController, gitlab: GitlabExecutor, path: str) -> None:
    """The ids inside `vm`, that is: those of the wrapper are not looked at."""
    controller.on(LIST, ok([but(ELEMENT, path, MISSING)]))
    controller.on("GET /api/v1/node?id=", fail("Not found"))
    if path == "vm":
        with pytest.raises(Panic, match="nil pointer"):
            gitlab.cleanup()
    elif path == "vm.external_id":
        with pytest.raises(Reported, match="not found"):
            gitlab.cleanup()
    elif path == "vm.instance_id":
        assert gitlab.cleanup() == ""
        assert controller.sent[-1].json == {"id": ""}
    else:
        with pytest.raises(Reported, match="error: Not found"):
            gitlab.run()


@pytest.mark.parametrize("state", ["Error", "Terminating", "Terminated", "Stopped"])
def test_cleanup_looks_past_what_is_not_alive(
    controller: ScriptedController, gitlab: GitlabExecutor, state: str
) -> None:
    controller.on(LIST, ok([element(instance_state=state)]))
    with pytest.raises(Reported, match="not found"):
        gitlab.cleanup()


@pytest.mark.parametrize(("body", "error"), [(NODE, DecodeError), ([], Reported), (None, Reported)])
def test_a_node_is_an_array(
    controller: ScriptedController, gitlab: GitlabExecutor, body: Any, error: type[Exception]
) -> None:
    controller.on("GET /api/v1/node", ok(body))
    with pytest.raises(error):
        gitlab.prepare(TEMPLATE)


def test_templates_by_name(controller: ScriptedController, gitlab: GitlabExecutor) -> None:
    controller.on("GET /api/v1/registry/vm?apiVer=v1", ok([{"id": TEMPLATE, "name": "macos"}]))
    assert gitlab.template_called("macos") == TEMPLATE
    with pytest.raises(Reported, match="template linux not found"):
        gitlab.template_called("linux")
    controller.on("GET /api/v1/registry/vm?apiVer=v1", ok([{**ROW, "size": "100"}]))
    with pytest.raises(DecodeError):
        gitlab.template_called("macos")


def test_only_a_timeout_is_tried_again(
    controller: ScriptedController, gitlab: GitlabExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller.on(LIST, DROPPED)
    with pytest.raises(NETWORK_ERRORS):
        gitlab.cleanup()
    assert len(controller.sent) == 1

    def never(*_: object) -> None:
        tries.append(1)
        raise TimeoutError

    tries: list[int] = []
    monkeypatch.setattr(gitlab.wire, "send", never)
    for call, times, waited in ((gitlab.cleanup, 3, 15), (lambda: gitlab.terminate(ID), 3, 30), (gitlab.run, 3, 45)):
        tries.clear()
        with pytest.raises(TimeoutError):
            call()
        assert (len(tries), gitlab.pace.waited) == (times, waited)
    tries.clear()
    with pytest.raises(TimeoutError):
        gitlab.start(TEMPLATE)
    assert len(tries) == 1
