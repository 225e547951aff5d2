from __future__ import annotations

import base64
from typing import Any

import pytest

from clients.failing import Broken, Reported
from clients.java import JSONException, NullPointerException
from clients.java_sdk import ClientException
from clients.jenkins import Jenkins, Label
from clients.pace import Unhurried
from support.legacy_answers import (
    ELEMENT,
    GROUP,
    ID,
    MISSING,
    NODE,
    ROW,
    RULE,
    SHOWN,
    STATUS,
    TEMPLATE,
    VM,
    VMINFO,
    but,
    early,
    element,
)  # fmt: skip
from support.scripted_controller import DROPPED, Scripted, ScriptedController, fail, ok

LIST = "GET /api/v1/vm"
START = "POST /api/v1/vm"
LABEL = Label(TEMPLATE, "v1")


@pytest.fixture
def jenkins(controller: ScriptedController) -> Jenkins:
    controller.on("GET /api/v1/status", ok(STATUS))
    controller.on(START, ok([ID]))
    controller.on("DELETE /api/v1/vm", ok())
    return Jenkins([controller.url], Unhurried())


def waiting(state: str, **more: Any) -> Scripted:
    return ok([{**ELEMENT, "vm": {**early(state), **more}}])


def test_every_byte_of_a_start(controller: ScriptedController, jenkins: Jenkins) -> None:
    label = Label(TEMPLATE, "v1", "g-1", priority=5, vcpu=2, vram=4096, startup_script="date")
    jenkins.start(label.body("https://ci/computer/é日"))
    [sent] = controller.sent
    host = controller.url.removeprefix("http://")
    assert sent.head.split("\r\n") == [
        "POST /api/v1/vm HTTP/1.1",
        "Content-Type: application/json",
        f"Content-Length: {len(sent.body)}",
        f"Host: {host}",
        "Connection: Keep-Alive",
        "User-Agent: Apache-HttpClient/4.5.14 (Java/17.0.9)",
        "Accept-Encoding: gzip,deflate",
    ]
    script = base64.b64encode(b"date").decode()
    assert sent.body == (
        f'{{"vmid":"{TEMPLATE}","tag":"v1","name_template":"$template_name-$node_name-$ts","startup_script":"{script}",'
        '"group_id":"g-1","priority":5,"external_id":"https://ci/computer/é?","vcpu":2,"vram":4096}'
    ).encode("iso-8859-1")


def test_its_way_to_a_vm(controller: ScriptedController, jenkins: Jenkins) -> None:
    controller.on(LIST, ok([]), waiting("Scheduling"), waiting("PULLING"), ok([element()]))
    assert jenkins.provision(LABEL, "node") == (ID, "192.168.0.200", 10001)
    jenkins.terminate(ID)
    # Every second poll is answered by its cache.
    assert controller.requests() == ["GET /api/v1/status", START, LIST, LIST, LIST, LIST, "DELETE /api/v1/vm"]
    assert controller.sent[-1].body == f'{{"id":"{ID}"}}'.encode()
    assert (controller.connections, jenkins.pace.waited) == (1, 30)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([ok([])], "does not exist"),
        ([waiting("Scheduling")], "was not scheduled in time"),
        ([waiting("Error", message="no room")], "is Error: no room"),
        ([waiting("Terminated")], "is Terminated"),
        ([waiting("Scheduling"), waiting("Terminating")], "is Terminating"),
    ],
)
def test_it_ends_what_it_gives_up(
    controller: ScriptedController, jenkins: Jenkins, answers: list[Scripted], said: str
) -> None:
    controller.on(LIST, *answers)
    with pytest.raises(Reported, match=said):
        jenkins.provision(LABEL, "node")
    assert controller.requests()[-1] == "DELETE /api/v1/vm"


def test_it_gives_up_after_ten_looks_in_vain(controller: ScriptedController, jenkins: Jenkins) -> None:
    controller.on(LIST, ok([]))
    with pytest.raises(Reported):
        jenkins.provision(LABEL, "node")
    assert jenkins.pace.waited == 9 * 5


@pytest.mark.parametrize("info", [{**VMINFO, "port_forwarding": None}, but(VMINFO, "port_forwarding", MISSING)])
def test_without_a_rule_it_takes_the_inner_address(
    controller: ScriptedController, jenkins: Jenkins, info: dict[str, Any]
) -> None:
    controller.on(LIST, ok([element(vminfo=info)]))
    assert jenkins.provision(LABEL, "node") == (ID, "192.168.69.15", 22)


def test_it_waits_a_minute_for_an_address(controller: ScriptedController, jenkins: Jenkins) -> None:
    info = {**VMINFO, "port_forwarding": None, "ip": ""}
    controller.on(LIST, ok([element(vminfo=info)]))
    controller.on(f"GET /api/v1/vm?id={ID}", ok({**VM, "vminfo": info}))
    with pytest.raises(Reported, match="no address"):
        jenkins.provision(LABEL, "node")
    assert jenkins.pace.waited == 50


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("0.instance_id", MISSING),
        ("0.instance_id", None),
        ("0.vm", MISSING),
        ("0.vm", None),
        ("0.vm.cr_time", MISSING),
        ("0.vm.cr_time", 1727208044),
        ("0.vm.instance_state", None),
        ("0.vm.vmid", MISSING),
        ("0.vm.vminfo", None),
        ("0.vm.vminfo", []),
        ("0.vm.vminfo.uuid", MISSING),
        ("0.vm.vminfo.status", None),
        ("0.vm.vminfo.port_forwarding", {}),
        ("0.vm.vminfo.port_forwarding.0.host_port", MISSING),
        ("0.vm.vminfo.port_forwarding.0.guest_port", "ssh"),
        ("0.vm.message", None),
        ("0.vm.message", {}),
    ],
)
def test_lists_it_breaks_on(controller: ScriptedController, jenkins: Jenkins, path: str, value: Any) -> None:
    controller.on(LIST, ok(but([{**ELEMENT, "vm": {**VM, "message": ""}}], path, value)))
    with pytest.raises(JSONException):
        jenkins.instances()


@pytest.mark.parametrize("body", [None, {}, "x", [None], [[]]])
def test_a_list_that_is_none(controller: ScriptedController, jenkins: Jenkins, body: Any) -> None:
    controller.on(LIST, ok(body))
    with pytest.raises(JSONException):
        jenkins.instances()


@pytest.mark.parametrize("body", [[GROUP, {**GROUP, "description": None}], [but(GROUP, "name", MISSING)], None])
def test_one_group_without_a_description_costs_all(controller: ScriptedController, jenkins: Jenkins, body: Any) -> None:
    controller.on("GET /api/v1/group", ok(body))
    with pytest.raises(JSONException):
        jenkins.groups()


def test_what_it_reads_of_templates_groups_and_nodes(controller: ScriptedController, jenkins: Jenkins) -> None:
    controller.on("GET /api/v1/registry/vm", ok([ROW]))
    controller.on(f"GET /api/v1/registry/vm?id={TEMPLATE}", ok(SHOWN))
    controller.on("GET /api/v1/group", ok([GROUP]))
    nodes = [
        NODE,
        {**NODE, "state": "active", "capacity_mode": "resource", "capacity": 9},
        {**NODE, "state": "Offline"},
    ]
    controller.on("GET /api/v1/node", ok(nodes))
    assert jenkins.templates() == {TEMPLATE: "macos"}
    assert jenkins.tags(TEMPLATE) == ["v1", "v2"]
    assert jenkins.groups() == {"ci": "g-1"}
    assert jenkins.capacity() == 2 + 4


@pytest.mark.parametrize("path", ["versions.1.tag", "versions"])
def test_templates_it_breaks_on(controller: ScriptedController, jenkins: Jenkins, path: str) -> None:
    controller.on("GET /api/v1/registry/vm", ok(but(SHOWN, path, None)))
    with pytest.raises(JSONException):
        jenkins.tags(TEMPLATE)


@pytest.mark.parametrize(
    "answer", [fail("no"), Scripted(b"", 204), Scripted(b"{}", 201), ok(None)], ids=["fail", "204", "201", "null"]
)
def test_without_a_status_nothing_works(controller: ScriptedController, jenkins: Jenkins, answer: Scripted) -> None:
    controller.on("GET /api/v1/status", answer)
    with pytest.raises(Broken):
        jenkins.is_online()


@pytest.mark.parametrize(("word", "online"), [("running", True), ("Running", True), ("Starting", False), (None, False)])
def test_online(controller: ScriptedController, jenkins: Jenkins, word: Any, online: bool) -> None:
    controller.on("GET /api/v1/status", ok({**STATUS, "status": word}))
    assert jenkins.is_online() is online


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Scripted(ok([ID]).body, 201), NullPointerException),
        (Scripted(ok([ID]).body, 202), NullPointerException),
        (ok([]), JSONException),
        (ok([7]), JSONException),
        (ok({}), JSONException),
        (Scripted(b'{"status":"FAIL"}'), JSONException),
        (Scripted(b'{"status":"FAIL","message":null}'), JSONException),
        (Scripted(b'{"status":"ok","message":"","body":["x"]}'), Reported),
    ],
)
def test_starts_it_breaks_on(
    controller: ScriptedController, jenkins: Jenkins, answer: Scripted, error: type[Exception]
) -> None:
    controller.on(START, answer)
    with pytest.raises(error):
        jenkins.start({"vmid": TEMPLATE})


@pytest.mark.parametrize("trouble", [DROPPED, Scripted(b"<html>"), Scripted(b"")], ids=["dropped", "html", "empty"])
def test_what_got_no_answer_is_sent_ten_times(
    controller: ScriptedController, jenkins: Jenkins, trouble: Scripted
) -> None:
    controller.on(START, *[trouble] * 9, ok([ID]))
    assert jenkins.start({"vmid": TEMPLATE}) == ID
    assert controller.requests() == [START] * 10
    controller.on(START, *[trouble] * 10, ok([ID]))
    with pytest.raises(Reported, match="POST"):
        jenkins.start({"vmid": TEMPLATE})


@pytest.mark.parametrize("code", [400, 401, 403, 404, 422, 500, 503])
def test_error_codes_are_not_tried_again(controller: ScriptedController, jenkins: Jenkins, code: int) -> None:
    controller.on(START, fail("x", code))
    with pytest.raises(ClientException, match=str(code)):
        jenkins.start({"vmid": TEMPLATE})
    assert controller.requests() == [START]


@pytest.mark.parametrize(
    ("message", "posts"),
    [("No such tag v1", 2), ("No such tag v1.", 1), ("no such tag v1", 1), ("No such tag", 1), ("tag v1 not found", 1)],
)
def test_the_fallback_hangs_on_the_words(
    controller: ScriptedController, jenkins: Jenkins, message: str, posts: int
) -> None:
    controller.on(START, fail(message), fail("second"))
    with pytest.raises(Reported, match="second" if posts == 2 else message):
        jenkins.start({"vmid": TEMPLATE, "tag": "v1"})
    assert [sent.json.get("tag") for sent in controller.sent] == ["v1", None][:posts]


@pytest.mark.parametrize(("answer", "supported"), [(ok([]), True), (fail("x", 404), False), (fail("x", 403), False)])
def test_the_probe_for_saving(
    controller: ScriptedController, jenkins: Jenkins, answer: Scripted, supported: bool
) -> None:
    controller.on("GET /api/v1/image", answer)
    assert jenkins.save_is_supported() is supported


@pytest.mark.parametrize(("body", "error"), [(None, NullPointerException), ({}, JSONException)])
def test_the_probe_breaks_on_what_is_no_array(
    controller: ScriptedController, jenkins: Jenkins, body: Any, error: type[Exception]
) -> None:
    controller.on("GET /api/v1/image", ok(body))
    with pytest.raises(error):
        jenkins.save_is_supported()


def test_saving(controller: ScriptedController, jenkins: Jenkins) -> None:
    controller.on("POST /api/v1/image", ok({"request_id": "r-1"}))
    controller.on("GET /api/v1/image", ok({"status": "pending"}), ok({"status": "Done"}))
    request = jenkins.save(ID, TEMPLATE, "v3", script="date")
    jenkins.await_saved(request)
    assert controller.requests()[1:] == ["GET /api/v1/image?id=r-1"] * 2
    assert jenkins.pace.waited == 20
    controller.on("GET /api/v1/image", ok({"status": "error"}))
    with pytest.raises(Reported, match="r-1 failed"):
        jenkins.await_saved(request)
    controller.on("GET /api/v1/image", ok({"status": None}))
    with pytest.raises(JSONException):
        jenkins.await_saved(request)


def test_several_controllers_take_turns(controller: ScriptedController) -> None:
    controller.on("GET /api/v1/status", ok(STATUS))
    client = Jenkins([controller.url, controller.url], Unhurried())
    assert all(client.is_online() for _ in range(4))
    assert (controller.connections, [wire.opened for wire in client.wires]) == (2, [1, 1])


def test_a_termination_that_fails(controller: ScriptedController, jenkins: Jenkins) -> None:
    for answer in (fail("Not found"), Scripted(b"", 204)):
        controller.on("DELETE /api/v1/vm", answer)
        with pytest.raises(Reported, match=r"^Failed to terminate$"):
            jenkins.terminate(ID)


def test_ports_as_strings_pass(controller: ScriptedController, jenkins: Jenkins) -> None:
    controller.on(LIST, ok([element(vminfo={**VMINFO, "port_forwarding": [{**RULE, "host_port": "10001"}]})]))
    [found] = jenkins.instances()
    assert found.info is not None
    assert found.info.rules[0].host_port == 10001
