"""When the node's status is written, and what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from anka_agent import VERSION
from anka_agent.anka.cli import AnkaCli, ListedUsbDevice
from anka_agent.anka.errors import AnkaError
from anka_agent.mac.start_backoff import TOLERATED
from anka_agent.node import reporter as module
from anka_agent.node.reporter import GONE, NodeReporter
from anka_agent.node.view import NodeView
from anka_agent.plan.naming import Source
from anka_crds.api import AnkaNode
from anka_crds.api.defaults import NODE_REPORT_SECONDS
from anka_crds.api.node import AgentUpdate, TemplateTask
from anka_crds.resources import NODES
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import Invalid
from anka_kube.store import Store
from anka_kube.writer import Writer
from support.gated_anka import GatedAnka
from support.mac_host import make_mac_host
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi

ROW = {"uuid": "t", "name": "macos-15", "status": "stopped", "version": "v1", "arch": 2}


class Desk:
    def __init__(self, api: ScriptedApi, client: KubeClient, disk: Path) -> None:
        self.api = api
        self.clock = ManualClock()
        self.due = asyncio.Event()
        self.anka = GatedAnka({"list": [ROW], "show t": ROW, "show t tag": [{"tag": "v1"}]})
        self.mac = make_mac_host(AnkaCli(self.anka), clock=self.clock, report_due=self.due)
        self.tasks: list[TemplateTask] = []
        self.update: tuple[bool, AgentUpdate | None] = (False, None)
        self.nodes: Store[AnkaNode] = Store(NODES)
        joined = AnkaNode.from_api(api.put("ankanodes", "mac-1", "", spec={}, status={"leaving": True}))
        self.nodes.apply_written(joined)
        self.reporter = NodeReporter(
            Writer(client, NODES, self.nodes),
            NodeView(self.nodes, joined, lambda: "10.0.0.1"),
            self.mac,
            lambda: self.tasks,
            lambda: self.update,
            disk=disk,
            hardware_uuid="H-1",
            clock=ApiClock(self.clock),
            due=self.due,
        )

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.objects["ankanodes"]["", "mac-1"]["status"]
        return found

    @property
    def writes(self) -> int:
        return self.api.count("patch")


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    clock = ManualClock()
    async with (
        ScriptedApi().serve() as api,
        KubeClient(Endpoint(api.url), ApiClock(clock), sleep=clock.sleep) as client,
    ):
        desk = Desk(api, client, tmp_path)
        await desk.mac.templates.observe()
        yield desk


async def test_the_first_report_says_everything_and_that_the_mac_stays(desk: Desk) -> None:
    await desk.reporter.report()
    status = desk.status
    assert "leaving" not in status, "a disjoin that was cut off"
    assert (status["ipAddress"], status["hostArch"], status["agentVersion"]) == ("10.0.0.1", "arm64", VERSION)
    assert [(one["name"], one["tag"]) for one in status["templates"]] == [("macos-15", "v1")]
    assert status["ankaVersion"]["licenseStatus"] == "valid"
    assert status["usage"]["vmCount"] == 0
    assert desk.reporter.is_healthy()


async def test_the_clock_s_error_is_written_when_it_changes_by_more_than_an_answer_can_show(desk: Desk) -> None:
    clock = desk.reporter.clock
    await desk.reporter.report()
    assert (desk.status["clockAheadSeconds"], desk.status["hardwareUuid"]) == (0, "H-1")
    for off, told, writes in [(3, 0, 1), (-240, -240, 2), (-243, -240, 2), (-3600, -3600, 3), (0, 0, 4)]:
        clock.learn(format_datetime(desk.clock.now() - timedelta(seconds=off), usegmt=True), 0.0, 0.0)
        await desk.reporter.report()
        assert abs(desk.status["clockAheadSeconds"] - told) <= 1, off
        assert desk.writes == writes


async def test_usage_alone_is_written_every_few_minutes(desk: Desk) -> None:
    await desk.reporter.report()
    desk.clock.advance(NODE_REPORT_SECONDS - 1)
    await desk.reporter.report()
    assert desk.writes == 1
    desk.clock.advance(1)
    await desk.reporter.report()
    assert desk.writes == 2


REFUSALS = pytest.mark.parametrize(
    "fault",
    [
        Fault(422, reason="Invalid", message="status.templates[0].name: Too long"),
        Fault(413, reason="RequestEntityTooLarge", message="limit is 3145728"),
        Fault(500, reason="InternalError", message="etcdserver: request is too large"),
    ],
    ids=lambda fault: str(fault.status),
)


@REFUSALS
async def test_a_status_that_the_api_refuses_is_told_in_what_is_left_of_it(
    desk: Desk, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    desk.api.fail("patch", fault)
    await desk.reporter.report()
    assert desk.status["cpuCount"]
    assert "templates" not in desk.status
    assert fault.message in desk.status["omitted"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    desk.api.fail("patch", fault)
    await desk.reporter.report()
    assert [record.levelname for record in caplog.records if record.levelname == "ERROR"] == ["ERROR"], "told once"
    await desk.reporter.report()
    assert desk.status["templates"]
    assert "omitted" not in desk.status


async def test_a_mac_without_a_status_is_a_problem(desk: Desk) -> None:
    for _ in range(2):
        desk.api.fail("patch", Fault(422, reason="Invalid", message="no"))
    with pytest.raises(Invalid):
        await desk.reporter.report()


@pytest.mark.parametrize("change", ["usb", "distribution", "update"])
async def test_what_others_act_on_is_written_at_once(desk: Desk, change: str) -> None:
    await desk.reporter.report()
    if change == "usb":
        desk.mac.facts.usb = [ListedUsbDevice("0x1", "phone", False)]
    elif change == "distribution":
        desk.tasks = [TemplateTask(name="request", uid="u", progress_percent=40)]
    else:
        desk.update = (True, AgentUpdate(version="2", message="is being installed"))
    await desk.reporter.report()
    assert desk.writes == 2
    field = {"usb": "usbDevices", "distribution": "distributions", "update": "agentUpdate"}[change]
    assert desk.status[field]


async def test_a_deleted_node_is_a_problem_that_is_logged_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    found = desk.nodes.get("mac-1")
    assert found is not None
    desk.nodes.apply_deleted(found)
    for _ in range(2):
        await desk.reporter.report()
    assert (desk.reporter.problem, desk.reporter.is_healthy(), desk.writes) == (GONE, False, 0)
    assert caplog.text.count(GONE) == 1


async def test_it_reports_when_it_is_due_and_goes_on_after_an_error(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)
    desk.api.fail("patch", Fault(403, "Forbidden"), times=2)
    running = asyncio.create_task(desk.reporter.run())
    await desk.api.until(lambda: desk.writes == 3)
    await desk.api.until(lambda: "agentVersion" in desk.status)
    desk.tasks = [TemplateTask(name="request", uid="u")]
    desk.due.set()
    await desk.api.until(lambda: desk.writes == 4)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_mac_whose_start_failed_is_looked_at_and_told_at_once(desk: Desk) -> None:
    desk.anka.answers |= {
        "version": {"product": "Anka", "version": "3.8.1", "build": "203"}, "usb": [],
        "license show": {"license_type": "x", "status": "expired"},
    }  # fmt: skip
    await desk.reporter.report()
    await desk.reporter.check()
    assert desk.status["ankaVersion"]["licenseStatus"] == "expired"
    assert "problem" not in desk.status


async def test_an_anka_that_does_not_answer_is_a_problem_until_it_does(desk: Desk) -> None:
    desk.anka.answers |= {"version": AnkaError("the daemon is down"), "license show": {}, "usb": []}
    await desk.reporter.check()
    assert desk.status["problem"] == "the daemon is down"
    desk.anka.answers["version"] = {"product": "Anka", "version": "3.8.1", "build": "203"}
    await desk.reporter.check()
    assert "problem" not in desk.status


async def test_starts_that_fail_are_a_problem(desk: Desk) -> None:
    for number in range(TOLERATED):
        desk.mac.starts.note_failure(Source(f"t{number}", None), "no")
    assert desk.due.is_set()
    await desk.reporter.report()
    assert desk.status["problem"].endswith("the last: no")


async def test_a_check_ends_where_nothing_answers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.01)
    desk.anka.gate.clear()
    await desk.reporter.check()
    desk.anka.gate.set()
    desk.api.fail("patch", Fault(403, "Forbidden"), times=1)
    desk.anka.answers["version"] = AnkaError("down")
    monkeypatch.setattr(module, "CHECK_SECONDS", 10.0)
    await desk.reporter.check()
