from __future__ import annotations

from typing import Any

import pytest

from clients.exporter import Exporter
from clients.failing import Reported
from clients.golang import DecodeError, Panic
from clients.pace import Unhurried
from support.legacy_answers import ELEMENT, GROUP, MISSING, NODE, ROW, SHOWN, STATUS, TEMPLATE, but, element
from support.scripted_controller import Scripted, ScriptedController, fail, ok

DISK = {"total": 1000, "free": 400}
ORDER = [
    "GET /api/v1/status",
    "GET /api/v1/node",
    "GET /api/v1/vm",
    "GET /api/v1/registry/disk",
    "GET /api/v1/registry/vm",
]


@pytest.fixture
def exporter(controller: ScriptedController) -> Exporter:
    controller.on("GET /api/v1/status", ok(STATUS))
    controller.on("GET /api/v1/node", ok([NODE]))
    controller.on("GET /api/v1/vm", ok([ELEMENT]))
    controller.on("GET /api/v1/registry/disk", ok(DISK))
    controller.on("GET /api/v1/registry/vm", ok([ROW]))
    controller.on(f"GET /api/v1/registry/vm?id={TEMPLATE}", ok(SHOWN))
    return Exporter(controller.url, Unhurried(), "root", "secret")


def test_what_it_collects(controller: ScriptedController, exporter: Exporter) -> None:
    drained = {**NODE, "state": "Drain Mode", "host_arch": "amd64", "groups": None}
    controller.on("GET /api/v1/node", ok([NODE, drained, {**NODE, "state": "Unhealthy"}]))
    controller.on("GET /api/v1/vm", ok([ELEMENT, element(instance_state="Error", arch="")]))
    seen = exporter.collect()
    assert (seen.controller_running, seen.registry_running) == (True, True)
    assert seen.nodes_by_state == {"Active": 1, "Drain Mode": 1}
    assert seen.nodes_by_arch == {"arm64": 2, "amd64": 1}
    assert seen.instances_by_state == {"Started": 1, "Error": 1}
    assert seen.instances_by_arch == {"arm64": 1}
    assert (seen.disk.total, seen.disk.free, seen.templates, seen.tags) == (
        1000, 400, {TEMPLATE: 100}, {TEMPLATE: {"v1": 50, "v2": 100}}
    )  # fmt: skip


def test_tags_are_asked_for_when_the_size_changes(controller: ScriptedController, exporter: Exporter) -> None:
    controller.on("GET /api/v1/registry/vm", ok([ROW]), ok([ROW]), ok([{**ROW, "size": 101}]))
    exporter.watch(3)
    tags = f"GET /api/v1/registry/vm?id={TEMPLATE}"
    assert controller.requests() == [*ORDER, tags, *ORDER, *ORDER, tags]
    assert (exporter.pace.waited, controller.connections) == (30, 1)
    assert controller.sent[0].headers == [
        f"Host: {controller.url.removeprefix('http://')}",
        "User-Agent: Go-http-client/1.1",
        "Authorization: Basic cm9vdDpzZWNyZXQ=",
        "Content-Type: application/json",
        "Accept-Encoding: gzip",
    ]


@pytest.mark.parametrize("value", [MISSING, None, "", "ARM64", "x86_64"])
def test_an_unknown_architecture_of_a_node_ends_the_process(
    controller: ScriptedController, exporter: Exporter, value: Any
) -> None:
    controller.on("GET /api/v1/node", ok([but(NODE, "host_arch", value)]))
    with pytest.raises(Panic, match="nil map"):
        exporter.collect()


@pytest.mark.parametrize(("path", "value"), [("vm.arch", "aarch64"), ("vm", None), ("vm", MISSING)])
def test_instances_that_end_the_process(
    controller: ScriptedController, exporter: Exporter, path: str, value: Any
) -> None:
    controller.on("GET /api/v1/vm", ok([but(ELEMENT, path, value)]))
    with pytest.raises(Panic):
        exporter.collect()


UNSIGNED = (
    "cpu_count", "ram", "vm_count", "vcpu_count", "vram", "capacity", "free_disk_space", "anka_disk_usage", "disk_size"
)  # fmt: skip


@pytest.mark.parametrize("field", UNSIGNED)
@pytest.mark.parametrize("value", [-1, 2.5, "3"])
def test_one_wrong_number_costs_all_nodes(
    controller: ScriptedController, exporter: Exporter, field: str, value: Any
) -> None:
    controller.on("GET /api/v1/node", ok([NODE, {**NODE, field: value}]))
    with pytest.raises(DecodeError, match=field):
        exporter.collect()


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        ("GET /api/v1/vm", [but(ELEMENT, "vm.cr_time", "")]),
        ("GET /api/v1/vm", [but(ELEMENT, "vm.ts", "yesterday")]),
        ("GET /api/v1/vm", {}),
        ("GET /api/v1/node", NODE),
        ("GET /api/v1/node", [{**NODE, "cpu_util": "10"}]),
        ("GET /api/v1/node", [{**NODE, "groups": [{**GROUP, "description": 5}]}]),
        ("GET /api/v1/registry/disk", {"total": 1.5e12, "free": 1}),
        ("GET /api/v1/registry/disk", {"total": -1, "free": 1}),
        ("GET /api/v1/registry/vm", [{**ROW, "size": "100"}]),
        (f"GET /api/v1/registry/vm?id={TEMPLATE}", but(SHOWN, "versions.0.size", -1)),
        ("GET /api/v1/status", {**STATUS, "registry_status": True}),
    ],
)
def test_answers_it_cannot_decode(controller: ScriptedController, exporter: Exporter, request_: str, body: Any) -> None:
    controller.on(request_, ok(body))
    with pytest.raises(DecodeError):
        exporter.collect()


def test_the_http_code_does_not_matter(controller: ScriptedController, exporter: Exporter) -> None:
    controller.on("GET /api/v1/status", Scripted(ok(STATUS).body, 500), fail("Authentication Required", 401))
    assert exporter.collect().controller_running
    with pytest.raises(Reported, match="Authentication Required"):
        exporter.collect()


def test_without_a_password_there_is_no_authorization(controller: ScriptedController, exporter: Exporter) -> None:
    Exporter(controller.url, Unhurried(), "root").collect()
    assert not any(header.startswith("Authorization") for header in controller.sent[0].headers)
