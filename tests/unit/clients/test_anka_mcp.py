from __future__ import annotations

from typing import Any

import pytest

from clients.anka_mcp import AnkaMcp, Pending, Ready
from clients.failing import Broken, Reported
from clients.pace import Unhurried
from clients.typescript import JsTypeError
from support.legacy_answers import ID, ROW, RULE, SHOWN, TEMPLATE, VM, VMINFO, early, vm
from support.scripted_controller import Scripted, ScriptedController, fail, ok

SHOW = f"GET /api/v1/vm?id={ID}"
START = "POST /api/v1/vm"


@pytest.fixture
def mcp(controller: ScriptedController) -> AnkaMcp:
    controller.on(START, ok([ID]))
    controller.on(SHOW, ok(VM))
    controller.on("DELETE /api/v1/vm", ok())
    return AnkaMcp(controller.url, Unhurried())


def test_every_byte_of_a_start(controller: ScriptedController, mcp: AnkaMcp) -> None:
    assert mcp.start_vm(TEMPLATE, "n", "date", "v1") == ID
    [sent] = controller.sent
    assert sent.headers == [
        f"host: {controller.url.removeprefix('http://')}",
        "connection: keep-alive",
        "content-type: application/json",
        "accept: */*",
        "accept-language: *",
        "sec-fetch-mode: cors",
        "user-agent: node",
        "accept-encoding: gzip, deflate",
        f"content-length: {len(sent.body)}",
    ]
    assert sent.body.decode() == (
        f'{{"vmid":"{TEMPLATE}","count":1,"tag":"v1","name":"n","external_id":"n",'
        '"port_forwarding_override":[{"name":"ssh","guest_port":"22"}],"startup_script":"ZGF0ZQ==",'
        '"startup_script_condition":1}'
    )


def test_its_way_to_a_vm(controller: ScriptedController, mcp: AnkaMcp) -> None:
    stopped = vm(vminfo={**VMINFO, "status": "stopped"})
    controller.on(
        SHOW, ok(early()), ok(early("Deploying")), ok(early("Pulling")), ok(early("Started")), ok(stopped), ok(VM)
    )
    assert mcp.wait_for(ID) == Pending(ID, "Pulling")
    assert mcp.wait_for(ID) == Ready(ID, "192.168.0.200", 10001)
    assert mcp.pace.waited == 12


@pytest.mark.parametrize(
    "info",
    [
        None,
        {**VMINFO, "status": "Running"},
        {**VMINFO, "host_ip": ""},
        {**VMINFO, "port_forwarding": None},
        {**VMINFO, "port_forwarding": [{**RULE, "guest_port": "22"}]},
        {**VMINFO, "port_forwarding": [{**RULE, "host_port": 0}]},
        {**VMINFO, "port_forwarding": [{**RULE, "guest_port": 2222}]},
    ],
    ids=["no vm", "status by case", "no address", "no rules", "port as a string", "no host port", "another port"],
)
def test_it_never_takes_these_for_ready(controller: ScriptedController, mcp: AnkaMcp, info: Any) -> None:
    """It would wait for ever; the scripted instance ends so that it can tell."""
    controller.on(SHOW, ok(vm(vminfo=info)), ok(vm(instance_state="Error", message="waited")))
    with pytest.raises(Reported, match="is Error: waited"):
        mcp.wait_for(ID)


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (ok([]), Reported, "started no VM"),
        (ok(None), JsTypeError, "not iterable"),
        (fail("No such tag v1"), Reported, "No such tag v1"),
        (fail("Authentication Required", 401), Reported, "Authentication Required"),
        (Scripted(b'{"detail":"x"}', 422), Reported, "undefined"),
        (Scripted(b"gone", 502), Broken, "SyntaxError"),
    ],
)
def test_starts_it_breaks_on(
    controller: ScriptedController, mcp: AnkaMcp, answer: Scripted, error: type[Exception], said: str
) -> None:
    controller.on(START, answer)
    with pytest.raises(error, match=said):
        mcp.start_vm(TEMPLATE, "n", "date")


def test_templates(controller: ScriptedController, mcp: AnkaMcp) -> None:
    controller.on("GET /api/v1/registry/vm", ok([ROW]))
    controller.on(f"GET /api/v1/registry/vm?id={TEMPLATE}", ok(SHOWN), ok({**SHOWN, "versions": None}), ok(None))
    assert mcp.list_templates() == {"macos": ["v1", "v2"]}
    for _ in range(2):
        with pytest.raises(JsTypeError):
            mcp.list_templates()
