from __future__ import annotations

from typing import Any

import pytest
import requests

from clients.failing import Reported
from clients.mgmtcl import Mgmtcl
from clients.pace import Unhurried
from support.legacy_answers import ELEMENT, ID, MISSING, NODE, ROW, TEMPLATE, VM, but, early, vm
from support.scripted_controller import ScriptedController, fail, ok

LIST = "GET /api/v1/vm"
SHOW = f"GET /api/v1/vm?id={ID}"
START = "POST /api/v1/vm"


@pytest.fixture
def mgmtcl(controller: ScriptedController) -> Mgmtcl:
    controller.on(START, ok([ID]))
    return Mgmtcl(controller.url, Unhurried())


def test_start_and_list(controller: ScriptedController, mgmtcl: Mgmtcl) -> None:
    controller.on(LIST, ok([ELEMENT, {**ELEMENT, "vm": early()}]))
    controller.on("GET /api/v1/node", ok([NODE]))
    controller.on("GET /api/v1/registry/vm", ok([ROW]))
    assert mgmtcl.start(TEMPLATE, count=1) == [ID]
    assert controller.sent[0].json == {"vmid": TEMPLATE, "count": 1}
    assert "Content-Type: application/json" in controller.sent[0].headers
    assert mgmtcl.rows() == [
        (ID, TEMPLATE, "Started", "vnc://:admin@192.168.0.200:5900"),
        (ID, TEMPLATE, "Scheduling", ""),
    ]
    assert (mgmtcl.nodes(), mgmtcl.templates()) == (["mac-1"], [TEMPLATE])


def test_waiting(controller: ScriptedController, mgmtcl: Mgmtcl) -> None:
    controller.on(SHOW, ok(early()), ok(VM), ok(vm(instance_state="Error", message="m")), fail("Not found"))
    assert mgmtcl.await_state(ID, "Started")["instance_id"] == ID
    with pytest.raises(Reported, match="m"):
        mgmtcl.await_state(ID, "Started")
    with pytest.raises(Reported, match="Not found"):
        mgmtcl.await_state(ID, "Started")
    assert mgmtcl.pace.waited == 1


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("instance_id", MISSING, KeyError),
        ("vm.vmid", MISSING, KeyError),
        ("vm.instance_state", MISSING, KeyError),
        ("vm.vminfo.vnc_connection_string", MISSING, KeyError),
        ("vm.vminfo", None, TypeError),
        ("vm", None, TypeError),
    ],
)
def test_lists_it_breaks_on(
    controller: ScriptedController, mgmtcl: Mgmtcl, path: str, value: Any, error: type[Exception]
) -> None:
    controller.on(LIST, ok([but(ELEMENT, path, value)]))
    with pytest.raises(error):
        mgmtcl.rows()


def test_not_found_is_known_by_its_words(controller: ScriptedController, mgmtcl: Mgmtcl) -> None:
    requests_ = (LIST, "GET /api/v1/node", "GET /api/v1/registry/vm")
    calls = (mgmtcl.show, mgmtcl.node, mgmtcl.template)
    for request in requests_:
        controller.on(request, fail("Not found"), fail("not found"))
    controller.on("DELETE /api/v1/vm", ok(), fail("Not found"), fail("busy"))
    assert [call("x") for call in calls] == [None] * 3
    for call in calls:
        with pytest.raises(Reported, match="not found"):
            call("x")
    assert (mgmtcl.delete(ID), mgmtcl.delete(ID)) == (True, False)
    with pytest.raises(Reported, match="busy"):
        mgmtcl.delete(ID)


@pytest.mark.parametrize("code", [400, 404, 500])
def test_an_http_code_hides_the_words(controller: ScriptedController, mgmtcl: Mgmtcl, code: int) -> None:
    controller.on(LIST, fail("Not found", code))
    controller.on("DELETE /api/v1/vm", fail("Not found", code))
    controller.on(START, fail("VM not in the registry", code))
    for call in (mgmtcl.show, mgmtcl.delete, mgmtcl.start):
        with pytest.raises(requests.HTTPError, match=str(code)):
            call("x")


@pytest.mark.parametrize(
    ("message", "said"), [("VM not in the registry", "There is no template t"), ("No such tag v", "No such tag v")]
)
def test_a_start_that_fails(controller: ScriptedController, mgmtcl: Mgmtcl, message: str, said: str) -> None:
    controller.on(START, fail(message))
    with pytest.raises(Reported, match=said):
        mgmtcl.start("t")
