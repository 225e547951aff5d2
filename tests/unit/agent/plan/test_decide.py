"""The plan as a table, and its promises as properties over all situations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_agent.plan.decide import Step, decide
from anka_agent.plan.situation import InstanceFailure, JobState, ObservedVm, Situation, WantedScript
from anka_crds.api.conditions import InstanceReason
from anka_crds.api.states import Phase

NEW = ObservedVm("stopped")
HALTED = ObservedVm("stopped", ever_started=True)
BOOTING = ObservedVm("running", ever_started=True)
RUNNING = ObservedVm("running", "192.168.64.2", ever_started=True)
MONITORED = WantedScript(monitoring=True)
PENDING = Situation(Phase.SCHEDULING)
STARTED = Situation(Phase.STARTED, vm=RUNNING)
BROKEN = InstanceFailure(InstanceReason.START_FAILED, "no luck")
MACS = InstanceFailure(InstanceReason.START_FAILED, "license expired", elsewhere=True)

TABLE = {
    "template missing": (replace(PENDING, template_held=False), Step.PULL),
    "template missing, said so already": (replace(PENDING, phase=Phase.PULLING, template_held=False), Step.PULL),
    "nothing there yet": (PENDING, Step.CLONE),
    "pull is over": (replace(PENDING, phase=Phase.PULLING), Step.CLONE),
    "fresh clone": (replace(PENDING, vm=NEW), Step.START),
    "fresh clone with options": (replace(PENDING, vm=NEW, options=True), Step.CONFIGURE),
    "configured clone": (replace(PENDING, vm=NEW, options=True, configured=True), Step.START),
    "clone of a suspended template": (replace(PENDING, vm=ObservedVm("suspended")), Step.START),
    "no address yet": (replace(PENDING, vm=BOOTING), Step.AWAIT_NETWORK),
    "will never have one": (replace(PENDING, vm=BOOTING, network=False), Step.REPORT_STARTED),
    "runs": (replace(PENDING, vm=RUNNING), Step.REPORT_STARTED),
    "container to grow, before all else": (
        replace(PENDING, vm=BOOTING, grow=True, script=WantedScript("Booted")),
        Step.GROW_CONTAINER,
    ),
    "container of an instance that has started": (replace(STARTED, grow=True), Step.NOTHING),
    "script waits for the network": (replace(PENDING, vm=BOOTING, script=WantedScript()), Step.AWAIT_NETWORK),
    "script does not wait": (replace(PENDING, vm=BOOTING, script=WantedScript("Booted")), Step.RUN_SCRIPT),
    "script": (replace(PENDING, vm=RUNNING, script=WantedScript()), Step.RUN_SCRIPT),
    "script fired": (replace(PENDING, vm=RUNNING, script=WantedScript(), job=JobState.RUNNING), Step.REPORT_STARTED),
    "script that nobody watches fails": (
        replace(PENDING, vm=RUNNING, script=WantedScript(), job=JobState.FAILED),
        Step.REPORT_STARTED,
    ),
    "script runs": (replace(PENDING, vm=RUNNING, script=MONITORED, job=JobState.RUNNING), Step.AWAIT_SCRIPT),
    "script done": (replace(PENDING, vm=RUNNING, script=MONITORED, job=JobState.SUCCEEDED), Step.REPORT_STARTED),
    "script done before the network": (
        replace(PENDING, vm=BOOTING, script=WantedScript("Booted", monitoring=True), job=JobState.SUCCEEDED),
        Step.AWAIT_NETWORK,
    ),
    "script failed": (replace(PENDING, vm=RUNNING, script=MONITORED, job=JobState.FAILED), Step.STOP),
    "script failed, stopped": (replace(PENDING, vm=HALTED, failure=BROKEN), Step.REPORT_ERROR),
    "script failed, keep": (
        replace(PENDING, vm=RUNNING, script=WantedScript(monitoring=True, on_failure="Keep"), job=JobState.FAILED),
        Step.REPORT_ERROR,
    ),
    "script failed, delete": (
        replace(PENDING, vm=HALTED, failure=replace(BROKEN, vm="Delete")),
        Step.DELETE,
    ),
    "script failed, deleted": (replace(PENDING, failure=replace(BROKEN, vm="Delete")), Step.REPORT_ERROR),
    "script cut off": (replace(PENDING, vm=RUNNING, script=MONITORED, job=JobState.LOST), Step.STOP),
    "died before it was ready": (replace(PENDING, vm=HALTED), Step.REPORT_ERROR),
    "failed before it was ready": (replace(PENDING, vm=ObservedVm("failed")), Step.REPORT_ERROR),
    "gone while its script ran": (replace(PENDING, script=MONITORED, job=JobState.RUNNING), Step.REPORT_ERROR),
    "a command failed for good": (replace(PENDING, vm=NEW, failure=BROKEN), Step.REPORT_ERROR),
    "all is well": (STARTED, Step.NOTHING),
    "the VM changed": (replace(STARTED, report_due=True), Step.REPORT_STARTED),
    "died by itself": (replace(STARTED, vm=HALTED), Step.REPORT_STOPPED),
    "vanished": (replace(STARTED, vm=None), Step.REPORT_ERROR),
    "restart": (replace(STARTED, restart_wanted=True), Step.RESTART),
    "killed within a restart": (replace(STARTED, vm=HALTED, restart_wanted=True), Step.START),
    "restarted, no address yet": (replace(STARTED, vm=BOOTING, report_due=True), Step.AWAIT_NETWORK),
    "restart of a stopped one": (Situation(Phase.STOPPED, vm=HALTED, restart_wanted=True), Step.START),
    "stopped": (Situation(Phase.STOPPED, vm=HALTED), Step.NOTHING),
    "this Mac's fault, another may try": (replace(PENDING, failure=MACS, movable=True), Step.REFUSE),
    "its VM goes first": (replace(PENDING, vm=NEW, failure=MACS, movable=True), Step.DELETE),
    "it is stopped first": (replace(PENDING, vm=BOOTING, failure=MACS, movable=True), Step.STOP),
    "this Mac's fault, and no other may try": (replace(PENDING, vm=NEW, failure=MACS), Step.REPORT_ERROR),
    "the request's fault": (replace(PENDING, vm=NEW, failure=BROKEN, movable=True), Step.REPORT_ERROR),
    "left to the operator": (replace(PENDING, failure=MACS, refused=True), Step.NOTHING),
    "left to the operator, by an agent before this one": (replace(PENDING, refused=True), Step.NOTHING),
    "left to the operator, and deleted": (replace(PENDING, refused=True, deleting=True), Step.RELEASE_FINALIZER),
    "stopped, runs again": (Situation(Phase.STOPPED, vm=RUNNING), Step.REPORT_STARTED),
    "over": (Situation(Phase.ERROR, vm=RUNNING), Step.NOTHING),
    "over, VM changed": (Situation(Phase.ERROR, vm=HALTED, report_due=True), Step.REPORT_VM),
    "delete, runs": (replace(STARTED, deleting=True), Step.STOP),
    "delete, halted": (Situation(Phase.ERROR, deleting=True, vm=HALTED), Step.DELETE),
    "delete, gone": (Situation(Phase.STARTED, deleting=True), Step.RELEASE_FINALIZER),
    "delete, released": (Situation(Phase.STARTED, deleting=True, finalizer=False), Step.NOTHING),
    "delete while failing": (replace(PENDING, deleting=True, vm=RUNNING, failure=BROKEN), Step.STOP),
}


@pytest.mark.parametrize("name", TABLE)
def test_table(name: str) -> None:
    situation, step = TABLE[name]
    assert decide(situation).step is step


@pytest.mark.parametrize(
    ("job", "reason", "words"),
    [
        (JobState.FAILED, "ScriptFailed", "exit code 7"),
        (JobState.TIMED_OUT, "ScriptTimedOut", "in time"),
        (JobState.LOST, "ScriptLost", "cut off"),
    ],
)
def test_script_failures_say_why(job: JobState, reason: str, words: str) -> None:
    failure = decide(replace(PENDING, vm=RUNNING, script=MONITORED, job=job, exit_code=7)).failure
    assert failure is not None
    assert failure.reason == reason
    assert words in failure.message


vms = st.none() | st.builds(
    ObservedVm, st.sampled_from(["running", "stopped", "suspended", "failed"]), st.none() | st.just("ip"), st.booleans()
)
actions = st.sampled_from(["Stop", "Keep", "Delete"])
situations = st.builds(
    Situation,
    phase=st.sampled_from(Phase),
    deleting=st.booleans(),
    finalizer=st.booleans(),
    vm=vms,
    template_held=st.booleans(),
    options=st.booleans(),
    configured=st.booleans(),
    network=st.booleans(),
    grow=st.booleans(),
    script=st.none() | st.builds(WantedScript, st.sampled_from(["NetworkUp", "Booted"]), st.booleans(), actions),
    job=st.sampled_from(JobState),
    restart_wanted=st.booleans(),
    report_due=st.booleans(),
    failure=st.none() | st.builds(InstanceFailure, st.just("X"), st.just("x"), actions, st.booleans()),
    movable=st.booleans(),
    refused=st.sampled_from([False, False, False, True]),
)


def done(now: Situation, step: Step, failure: InstanceFailure | None, outcome: JobState) -> Situation:
    """The world after this step, as the worker and the Mac make it."""
    vm = now.vm
    up = ObservedVm("running", ever_started=True)
    if step is Step.PULL:
        return replace(now, template_held=True)
    if step is Step.CLONE:
        return replace(now, vm=ObservedVm("stopped"))
    if step is Step.CONFIGURE:
        return replace(now, configured=True)
    if step in (Step.START, Step.RESTART):
        return replace(now, vm=up, restart_wanted=False, report_due=True)
    if step is Step.AWAIT_NETWORK:
        return replace(now, vm=replace(up, ip="ip"))
    if step is Step.GROW_CONTAINER:
        return replace(now, grow=False)
    if step is Step.RUN_SCRIPT:
        return replace(now, job=JobState.RUNNING)
    if step is Step.AWAIT_SCRIPT:
        return replace(now, job=outcome)
    if step is Step.STOP:
        assert vm is not None
        return replace(now, vm=ObservedVm("stopped", ever_started=True), failure=failure or now.failure)
    if step is Step.DELETE:
        return replace(now, vm=None, failure=failure or now.failure)
    if step is Step.REPORT_STARTED:
        return replace(now, phase=Phase.STARTED, report_due=False)
    if step is Step.REPORT_STOPPED:
        return replace(now, phase=Phase.STOPPED, report_due=False)
    if step is Step.REPORT_ERROR:
        return replace(now, phase=Phase.ERROR, report_due=False)
    if step is Step.REFUSE:
        return replace(now, refused=True)
    if step is Step.REPORT_VM:
        return replace(now, report_due=False)
    assert step is Step.RELEASE_FINALIZER
    return replace(now, finalizer=False)


def play(now: Situation, outcome: JobState) -> tuple[list[Step], Situation]:
    """Steps until there is nothing to do."""
    steps: list[Step] = []
    while (decision := decide(now)).step is not Step.NOTHING:
        steps.append(decision.step)
        assert len(steps) < 20, f"no end: {steps}"
        assert not (decision.step is Step.CLONE and now.vm is not None), "a second VM"
        now = done(now, decision.step, decision.failure, outcome)
    return steps, now


outcomes = st.sampled_from([JobState.SUCCEEDED, JobState.FAILED, JobState.TIMED_OUT, JobState.LOST])


@given(situations, outcomes)
def test_every_plan_ends(now: Situation, outcome: JobState) -> None:
    play(now, outcome)


@given(situations, outcomes)
def test_deletion_ends_without_vm_and_finalizer(now: Situation, outcome: JobState) -> None:
    steps, after = play(replace(now, deleting=True, finalizer=True), outcome)
    assert after.vm is None
    assert not after.finalizer
    assert steps[-1] is Step.RELEASE_FINALIZER
    assert set(steps) <= {Step.STOP, Step.DELETE, Step.RELEASE_FINALIZER}


@given(situations, outcomes)
def test_a_running_vm_is_never_deleted_without_being_stopped(now: Situation, outcome: JobState) -> None:
    while (decision := decide(now)).step is not Step.NOTHING:
        if decision.step is Step.DELETE:
            assert now.vm is not None
            assert not now.vm.running
        now = done(now, decision.step, decision.failure, outcome)


@given(situations)
def test_the_script_of_a_life_runs_once(now: Situation) -> None:
    steps, _ = play(now, JobState.SUCCEEDED)
    assert steps.count(Step.RUN_SCRIPT) <= (1 if now.job is JobState.NONE else 0)


@given(situations)
def test_nothing_happens_to_a_vm_that_is_over(now: Situation) -> None:
    over = replace(now, phase=Phase.ERROR, deleting=False)
    steps, _ = play(over, JobState.SUCCEEDED)
    assert set(steps) <= {Step.REPORT_VM}


@given(situations, outcomes)
def test_a_start_ends_as_started_or_error(now: Situation, outcome: JobState) -> None:
    fresh = replace(
        now, phase=Phase.SCHEDULING, deleting=False, vm=None, job=JobState.NONE, configured=False, refused=False
    )
    _, after = play(fresh, outcome)
    if fresh.failure is not None and fresh.failure.elsewhere and fresh.movable:
        assert (after.refused, after.phase, after.vm) == (True, Phase.SCHEDULING, None)
    elif fresh.failure is not None:
        assert after.phase is Phase.ERROR
    elif fresh.script is None or not fresh.script.monitoring or outcome is JobState.SUCCEEDED:
        assert after.phase is Phase.STARTED
        assert after.vm is not None
    else:
        assert after.phase is Phase.ERROR
