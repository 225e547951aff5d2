"""What the status says, when it is written, and how the object is let go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from anka_agent.anka.vm import Vm
from anka_agent.instances.reporter import InstanceReporter
from anka_agent.jobs.journal import Journal
from anka_agent.node.view import NodeView
from anka_agent.plan.decide import Decision, Step
from anka_agent.plan.situation import InstanceFailure
from anka_crds.api import AnkaInstance, AnkaNode
from anka_crds.api.conditions import InstanceReason
from anka_crds.resources import INSTANCES, NODES
from anka_crds.rules.condition_list import find
from anka_kube.errors import Invalid, TooLarge, Unreachable
from anka_kube.store import Store
from support.faulty_mac import MemoryApi
from support.manual_clock import ManualClock
from support.objects import instance, node

RUNNING = Vm("u1", "x", "running", ip="192.168.64.2", detailed=True)
STARTED = Decision(Step.REPORT_STARTED)


class GatedApi(MemoryApi[AnkaInstance]):
    def __init__(self) -> None:
        super().__init__(Store(INSTANCES))
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.error: Exception | None = None
        self.errors: list[Exception] = []
        """Of the next writes, one each."""

    async def patch(self, obj: AnkaInstance, patch: Mapping[str, Any]) -> AnkaInstance:
        self.begun.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return await super().patch(obj, patch)

    async def patch_status(self, obj: AnkaInstance, status: Mapping[str, Any]) -> AnkaInstance:
        if self.errors:
            raise self.errors.pop()
        return await super().patch_status(obj, status)


class Desk:
    def __init__(self, directory: Path) -> None:
        self.api = GatedApi()
        self.journal = Journal(directory)
        self.clock = ManualClock()
        nodes: Store[AnkaNode] = Store(NODES)
        self.reporter = InstanceReporter(
            self.api, self.journal, NodeView(nodes, node("mac-1"), lambda: "10.0.0.1"), self.clock
        )

    def put(self, **fields: Any) -> AnkaInstance:
        self.api.store.apply_written(instance(**fields))
        return self.now

    @property
    def now(self) -> AnkaInstance:
        found = self.api.store.by_uid("uid-one")
        assert found is not None
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_started_with_the_address_of_the_mac(desk: Desk) -> None:
    assert await desk.reporter.report(STARTED, desk.put(status={"phase": "Scheduling"}), RUNNING, RUNNING)
    assert desk.now.status.phase == "Started"
    assert desk.now.status.vm is not None
    assert (desk.now.status.vm.ip, desk.now.status.vm.host_ip) == ("192.168.64.2", "10.0.0.1")


async def test_without_room_for_the_output_of_the_script_the_instance_is_started(desk: Desk) -> None:
    script = {"content": "ZWNobw==", "monitoring": True}
    desk.journal.script("uid-one").directory.mkdir(parents=True)
    result = {"code": 0, "stdout": "x" * 60_000, "stderr": ""}
    (desk.journal.script("uid-one").directory / "result.json").write_text(json.dumps(result))
    one = desk.put(status={"phase": "Scheduling"}, startupScript=script)
    desk.api.errors = [TooLarge(500, "InternalError", "etcdserver: request is too large")]
    assert await desk.reporter.report(STARTED, one, RUNNING, RUNNING)
    after = desk.now.status
    assert after.phase == "Started"
    assert after.startup_script is not None
    assert after.startup_script.stdout == ""
    assert "no room" in (after.startup_script.errors or [""])[0]


async def test_a_status_that_the_api_refuses_is_told_in_the_instance(desk: Desk) -> None:
    refused = Invalid(422, "Invalid", "status.vm.name: Too long")
    one = desk.put(status={"phase": "Scheduling"})
    for _ in range(3):
        desk.api.errors = [refused]
        with pytest.raises(Invalid):
            await desk.reporter.report(STARTED, desk.now, RUNNING, RUNNING)
    ready = find(desk.now.status.conditions, "Ready")
    assert ready is not None
    assert (ready.reason, desk.now.status.phase) == ("StatusRefused", one.status.phase)
    assert "status.vm.name: Too long" in ready.message
    assert len(desk.api.writes) == 1, "told once"


async def test_what_changes_nothing_is_not_written(desk: Desk) -> None:
    await desk.reporter.report(STARTED, desk.put(status={"phase": "Scheduling"}), RUNNING, RUNNING)
    desk.clock.advance(60)
    assert not await desk.reporter.report(STARTED, desk.now, RUNNING, RUNNING)
    assert len(desk.api.writes) == 1


async def test_a_doubt_about_the_template_is_told_with_the_start(desk: Desk) -> None:
    desk.reporter.note_doubt("made from what the Mac held")
    await desk.reporter.report(STARTED, desk.put(status={"phase": "Scheduling"}), RUNNING, RUNNING)
    ready = next(one for one in desk.now.status.conditions if one.type == "Ready")
    assert (ready.status, ready.message) == ("True", "The VM is running; made from what the Mac held")
    assert len(desk.api.writes) == 1


async def test_the_first_start_is_the_restart_that_came_with_the_manifest(desk: Desk) -> None:
    one = desk.put(status={"phase": "Scheduling"}, restartedAt="2026-01-01T02:00:00Z")
    await desk.reporter.report(STARTED, one, RUNNING, RUNNING)
    assert desk.now.status.restarted_at == desk.now.spec.restarted_at


async def test_a_vm_that_was_deleted_before_it_was_reported_stays_visible(desk: Desk) -> None:
    failed = Decision(Step.REPORT_ERROR, InstanceFailure(InstanceReason.SCRIPT_FAILED, "exit code 1", "Delete"))
    assert await desk.reporter.report(failed, desk.put(status={"phase": "Scheduling"}), None, RUNNING)
    vm = desk.now.status.vm
    assert vm is not None
    assert (desk.now.status.phase, vm.uuid, vm.status, vm.ip) == ("Error", "u1", "deleted", None)


async def test_stopped_by_itself(desk: Desk) -> None:
    stopped = Vm("u1", "x", "stopped", detailed=True)
    assert await desk.reporter.report(
        Decision(Step.REPORT_STOPPED), desk.put(status={"phase": "Started"}), stopped, None
    )
    assert desk.now.status.phase == "Stopped"


async def test_terminating_is_written_once_for_each_message(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.put(status={"phase": "Started"}, meta={"deletionTimestamp": "2026-01-01T01:00:00Z"})
    for message in ("removing", "removing", "cannot be removed"):
        await desk.reporter.report_terminating("uid-one", message)
    assert len(desk.api.writes) == 2
    assert (desk.now.status.phase, desk.now.status.message) == ("Terminating", "cannot be removed")
    await desk.reporter.report_terminating("uid-of-another", "removing")
    desk.api.error = Unreachable("connection refused", sent=False, action="patch")
    await desk.reporter.report_terminating("uid-one", "and so on")
    assert len(desk.api.writes) == 2, "the removal goes on without it"


async def test_released_with_its_record_even_when_the_worker_is_cancelled(desk: Desk) -> None:
    one = desk.put(meta={"deletionTimestamp": "2026-01-01T01:00:00Z"})
    desk.journal.record_growth("uid-one")
    desk.api.gate.clear()
    releasing = asyncio.create_task(desk.reporter.release(one))
    await asyncio.wait_for(desk.api.begun.wait(), 20)
    assert desk.journal.uids() == [], "the record goes first"
    releasing.cancel()
    await asyncio.gather(releasing, return_exceptions=True)
    desk.api.gate.set()
    await desk.reporter.close()
    assert desk.api.writes == [{"metadata": {"finalizers": []}}]
    assert desk.api.store.by_uid("uid-one") is None


async def test_other_finalizers_stay(desk: Desk) -> None:
    finalizers = ["example.com/other", "anka.veertu.com/vm"]
    await desk.reporter.release(desk.put(meta={"finalizers": finalizers, "deletionTimestamp": "2026-01-01T01:00:00Z"}))
    assert desk.now.metadata.finalizers == ["example.com/other"]
