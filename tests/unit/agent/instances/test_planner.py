"""Which comes first: the deletion, a failure, a save, the instance's own plan, its deadline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.vm import Vm
from anka_agent.instances.interruption import Interruption
from anka_agent.instances.planner import InstancePlanner, build_situation, last_restart
from anka_agent.jobs.journal import Journal
from anka_agent.plan.decide import Decision, Step
from anka_agent.plan.save import SaveDecision, SaveStep
from anka_agent.plan.situation import InstanceFailure, JobState, ObservedVm, Situation
from anka_agent.saves.queue import SaveTask
from anka_crds.api import AnkaInstance
from anka_crds.api.conditions import InstanceReason
from anka_crds.api.states import Phase
from support.gated_anka import GatedAnka
from support.mac_host import make_mac_host
from support.manual_clock import ManualClock
from support.objects import TEMPLATE, instance

ROW = {"uuid": TEMPLATE, "name": "macos-15", "status": "stopped", "version": "v1"}
EARLY, LATE = "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"
RESOLVED = {"id": TEMPLATE, "name": "macos-15", "tag": "v1"}


class Desk:
    def __init__(self, directory: Path) -> None:
        self.journal = Journal(directory)
        anka = GatedAnka({"list": [ROW], f"show {TEMPLATE}": ROW, f"show {TEMPLATE} tag": [{"tag": "v1"}]})
        self.mac = make_mac_host(AnkaCli(anka))

    def build(self, one: AnkaInstance, vm: Vm | None = None, *, pulled: bool = False) -> Situation:
        return build_situation(
            one, vm, self.mac.templates, self.journal, pulled=pulled, configured=False, host_ip=None, failure=None
        )


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    await desk.mac.templates.observe()
    return desk


def scheduled(**fields: Any) -> AnkaInstance:
    status = {"phase": "Scheduling", "template": RESOLVED, **fields.pop("status", {})}
    return instance(status=status, **fields)


def test_a_new_instance(desk: Desk) -> None:
    now = desk.build(scheduled())
    assert (now.phase, now.vm, now.template_held, now.options, now.network, now.grow) == (
        "Scheduling", None, True, False, True, False,
    )  # fmt: skip
    assert (now.script, now.job, now.restart_wanted, now.deleting, now.finalizer) == (
        None, JobState.NONE, False, False, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "pulled", "held"),
    [
        (None, None, True), (None, "now", True), ("now", "now", True), ("now", None, False), ("now", "before", False),
    ],
)  # fmt: skip
async def test_a_tag_is_held_with_the_content_that_it_was_resolved_to(
    desk: Desk, wanted: str | None, pulled: str | None, held: bool
) -> None:
    await desk.mac.templates.record_pull(TEMPLATE, "v1", pulled)
    await desk.mac.templates.record_use(TEMPLATE, "v1")
    one = scheduled(status={"template": {**RESOLVED, "contentId": wanted}})
    assert desk.build(one).template_held is held
    assert desk.build(one, pulled=True).template_held, "what this instance has pulled is what it is made from"


@pytest.mark.parametrize(
    ("fields", "field", "value"),
    [
        ({"status": {"template": {**RESOLVED, "tag": "v2"}}}, "template_held", False),
        ({"resources": {"vcpu": 2}}, "options", True),
        ({"network": {"mode": "disconnected"}}, "network", False),
        ({"disk": {"size": "100G"}}, "grow", True),
        ({"disk": {"size": "100G", "skipContainerResize": True}}, "grow", False),
        ({"meta": {"deletionTimestamp": EARLY}}, "deleting", True),
        ({"meta": {"finalizers": []}}, "finalizer", False),
    ],
)
def test_what_the_object_says(desk: Desk, fields: dict[str, Any], field: str, value: object) -> None:
    assert getattr(desk.build(scheduled(**fields)), field) == value


def test_what_the_vm_says(desk: Desk) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    vm = Vm("u", "x", "running", ip="10.0.0.1", start_date=moment)
    now = desk.build(scheduled(), vm)
    assert now.vm == ObservedVm("running", "10.0.0.1", True)
    assert now.report_due, "the status has no VM yet"


def test_without_a_script_the_disk_is_not_asked_for_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.journal, "script", lambda uid: pytest.fail("asked"))
    assert desk.build(scheduled()).job is JobState.NONE


def test_a_container_is_grown_once(desk: Desk) -> None:
    one = scheduled(disk={"size": "100G"})
    desk.journal.record_growth(one.metadata.uid)
    assert not desk.build(one).grow


@pytest.mark.parametrize(
    ("phase", "wanted", "done", "restart"),
    [
        ("Started", None, None, False),
        ("Started", LATE, None, True),
        ("Stopped", LATE, None, True),
        ("Scheduling", LATE, None, False),
        ("Error", LATE, None, False),
        ("Started", LATE, EARLY, True),
        ("Started", LATE, LATE, False),
    ],
)
def test_a_restart_is_for_what_has_started(
    desk: Desk, phase: str, wanted: str | None, done: str | None, restart: bool
) -> None:
    spec = {"restartedAt": wanted} if wanted else {}
    status = {"phase": phase, **({"restartedAt": done} if done else {})}
    assert desk.build(scheduled(status=status, **spec)).restart_wanted is restart


def test_a_restart_that_the_api_does_not_show_yet_is_done_and_due(desk: Desk) -> None:
    one = scheduled(status={"phase": "Started", "restartedAt": EARLY}, restartedAt=LATE)
    assert one.spec.restarted_at is not None
    desk.journal.record_restart(one.metadata.uid, one.spec.restarted_at)
    now = desk.build(one)
    assert (now.restart_wanted, now.report_due) == (False, True)
    assert last_restart(one, desk.journal) == one.spec.restarted_at


def test_who_asks_may_have_a_slow_clock(desk: Desk) -> None:
    """A wish that is older than the one before it is fulfilled once, like any other."""
    one = scheduled(status={"phase": "Started", "restartedAt": LATE}, restartedAt=EARLY)
    assert one.spec.restarted_at is not None
    assert desk.build(one).restart_wanted
    desk.journal.record_restart(one.metadata.uid, one.spec.restarted_at)
    now = desk.build(one)
    assert (now.restart_wanted, now.report_due) == (False, True)
    told = scheduled(status={"phase": "Started", "restartedAt": EARLY}, restartedAt=EARLY)
    assert not desk.build(told).restart_wanted


FAILED = InstanceFailure(InstanceReason.CLONE_FAILED, "no", "Keep")


class Saver:
    """Has at most one step to do."""

    def __init__(self) -> None:
        self.step: SaveStep | None = None

    def next(self, instance: AnkaInstance, vm: Vm | None) -> SaveTask | None:
        return None if self.step is None else SaveTask(None, cast(Any, None), SaveDecision(self.step))


@dataclass
class PlanDesk:
    saver: Saver
    interruption: Interruption
    clock: ManualClock
    planner: InstancePlanner
    deleting: bool = False

    def situation(self, one: AnkaInstance, vm: Vm | None, failure: InstanceFailure | None) -> Situation:
        seen = None if vm is None else ObservedVm(vm.status, vm.ip)
        return Situation(phase=one.status.phase, deleting=self.interruption.deleting.is_set(), vm=seen, failure=failure)

    def plan(self, one: AnkaInstance, vm: Vm | None = None) -> Decision | SaveTask | None:
        return self.planner.plan(one, vm)


@pytest.fixture
def plan_desk() -> PlanDesk:
    saver, interruption, clock = Saver(), Interruption(), ManualClock()

    def build(one: AnkaInstance, vm: Vm | None, failure: InstanceFailure | None) -> Situation:
        return made.situation(one, vm, failure)

    made = PlanDesk(saver, interruption, clock, InstancePlanner(cast(Any, saver), build, interruption, clock))
    return made


def at(phase: Phase, **spec: Any) -> AnkaInstance:
    return instance(status={"phase": phase.value}, **spec)


RUNNING = Vm("a", "x", "running", ip="10.0.0.1")


def test_the_instances_own_plan(plan_desk: PlanDesk) -> None:
    assert plan_desk.plan(at(Phase.SCHEDULING)) == Decision(Step.CLONE)
    assert plan_desk.plan(at(Phase.STARTED), RUNNING) is None


def test_a_save_comes_before_the_instances_own_plan(plan_desk: PlanDesk) -> None:
    plan_desk.saver.step = SaveStep.CHECK
    task = plan_desk.plan(at(Phase.PUSHING), RUNNING)
    assert isinstance(task, SaveTask)
    assert task.decision.step is SaveStep.CHECK
    plan_desk.saver.step = SaveStep.NOTHING
    assert plan_desk.plan(at(Phase.PUSHING), RUNNING) is None


def test_what_is_resumed_is_the_instances_own(plan_desk: PlanDesk) -> None:
    plan_desk.saver.step = SaveStep.RESUME
    assert plan_desk.plan(at(Phase.PUSHING), RUNNING) == Decision(Step.START)


def test_a_deletion_comes_before_saves(plan_desk: PlanDesk) -> None:
    plan_desk.saver.step = SaveStep.CHECK
    plan_desk.interruption.deleting.set()
    assert plan_desk.plan(at(Phase.PUSHING), RUNNING) == Decision(Step.STOP)


def test_a_failure_comes_before_saves_until_it_is_reported(plan_desk: PlanDesk) -> None:
    plan_desk.saver.step = SaveStep.CHECK
    plan_desk.planner.failure = FAILED
    assert plan_desk.plan(at(Phase.PUSHING), RUNNING) == Decision(Step.REPORT_ERROR, FAILED)
    assert isinstance(plan_desk.plan(at(Phase.ERROR), RUNNING), SaveTask)


def test_a_failure_that_the_plan_found_is_kept(plan_desk: PlanDesk) -> None:
    stopped = Vm("a", "x", "failed")
    found = plan_desk.plan(at(Phase.SCHEDULING), stopped)
    assert isinstance(found, Decision)
    assert found.failure is not None
    assert plan_desk.planner.failure == found.failure
    assert found.failure.reason is InstanceReason.VM_FAILED


def test_after_the_deadline_nothing_is_begun(plan_desk: PlanDesk) -> None:
    one = at(Phase.SCHEDULING, startDeadlineSeconds=60)
    assert plan_desk.planner.seconds_left(Decision(Step.CLONE), one) == 60
    plan_desk.clock.advance(60)
    late = plan_desk.plan(one)
    assert isinstance(late, Decision)
    assert late.step is Step.REPORT_ERROR
    assert plan_desk.planner.failure is not None
    assert plan_desk.planner.failure.reason is InstanceReason.START_DEADLINE_EXCEEDED
    assert plan_desk.planner.failure.message.endswith("(it was at: clone)")


def test_what_only_has_to_be_reported_did_start_in_time(plan_desk: PlanDesk) -> None:
    one = at(Phase.SCHEDULING, startDeadlineSeconds=60)
    plan_desk.clock.advance(3600)
    assert plan_desk.plan(one, RUNNING) == Decision(Step.REPORT_STARTED)
    assert plan_desk.planner.seconds_left(Decision(Step.REPORT_STARTED), one) == math.inf
    plan_desk.planner.failure = FAILED
    assert plan_desk.planner.seconds_left(Decision(Step.STOP), one) == math.inf
    assert plan_desk.planner.seconds_left(Decision(Step.CLONE), at(Phase.SCHEDULING)) == math.inf
