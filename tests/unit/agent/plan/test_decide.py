"""The plan as a table, and its promises as properties over all situations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_agent.plan.decide import Step, decide
from anka_agent.plan.situation import Failure, Job, Script, SeenVm, Situation
from anka_crds.api.phase import Phase

NEW = SeenVm("stopped")
HALTED = SeenVm("stopped", ever_started=True)
BOOTING = SeenVm("running", ever_started=True)
RUNNING = SeenVm("running", "192.168.64.2", ever_started=True)
MONITORED = Script(monitoring=True)
PENDING = Situation(Phase.SCHEDULING)
STARTED = Situation(Phase.STARTED, vm=RUNNING)
BROKEN = Failure("StartFailed", "no luck")

TABLE = {
    "template missing": (replace(PENDING, template_held=False), Step.PULL),
    "template missing, said so already": (replace(PENDING, phase=Phase.PULLING, template_held=False), Step.PULL),
    "nothing there yet": (PENDING, Step.CLONE),
    "pull is over": (replace(PENDING, phase=Phase.PULLING), Step.CLONE),
    "fresh clone": (replace(PENDING, vm=NEW), Step.START),
    "fresh clone with options": (replace(PENDING, vm=NEW, options=True), Step.CONFIGURE),
    "configured clone": (replace(PENDING, vm=NEW, options=True, configured=True), Step.START),
    "clone of a suspended template": (replace(PENDING, vm=SeenVm("suspended")), Step.START),
    "no address yet": (replace(PENDING, vm=BOOTING), Step.AWAIT_NETWORK),
    "will never have one": (replace(PENDING, vm=BOOTING, network=False), Step.REPORT_STARTED),
    "runs": (replace(PENDING, vm=RUNNING), Step.REPORT_STARTED),
    "container to grow, before all else": (
        replace(PENDING, vm=BOOTING, grow=True, script=Script("Booted")),
        Step.GROW_CONTAINER,
    ),
    "container of an instance that has started": (replace(STARTED, grow=True), Step.NOTHING),
    "script waits for the network": (replace(PENDING, vm=BOOTING, script=Script()), Step.AWAIT_NETWORK),
    "script does not wait": (replace(PENDING, vm=BOOTING, script=Script("Booted")), Step.RUN_SCRIPT),
    "script": (replace(PENDING, vm=RUNNING, script=Script()), Step.RUN_SCRIPT),
    "script fired": (replace(PENDING, vm=RUNNING, script=Script(), job=Job.RUNNING), Step.REPORT_STARTED),
    "script that nobody watches fails": (
        replace(PENDING, vm=RUNNING, script=Script(), job=Job.FAILED),
        Step.REPORT_STARTED,
    ),
    "script runs": (replace(PENDING, vm=RUNNING, script=MONITORED, job=Job.RUNNING), Step.AWAIT_SCRIPT),
    "script done": (replace(PENDING, vm=RUNNING, script=MONITORED, job=Job.SUCCEEDED), Step.REPORT_STARTED),
    "script done before the network": (
        replace(PENDING, vm=BOOTING, script=Script("Booted", monitoring=True), job=Job.SUCCEEDED),
        Step.AWAIT_NETWORK,
    ),
    "script failed": (replace(PENDING, vm=RUNNING, script=MONITORED, job=Job.FAILED), Step.STOP),
    "script failed, stopped": (replace(PENDING, vm=HALTED, failure=BROKEN), Step.REPORT_ERROR),
    "script failed, keep": (
        replace(PENDING, vm=RUNNING, script=Script(monitoring=True, on_failure="Keep"), job=Job.FAILED),
        Step.REPORT_ERROR,
    ),
    "script failed, delete": (
        replace(PENDING, vm=HALTED, failure=replace(BROKEN, vm="Delete")),
        Step.DELETE,
    ),
    "script failed, deleted": (replace(PENDING, failure=replace(BROKEN, vm="Delete")), Step.REPORT_ERROR),
    "script cut off": (replace(PENDING, vm=RUNNING, script=MONITORED, job=Job.LOST), Step.STOP),
    "died before it was ready": (replace(PENDING, vm=HALTED), Step.REPORT_ERROR),
    "failed before it was ready": (replace(PENDING, vm=SeenVm("failed")), Step.REPORT_ERROR),
    "gone while its script ran": (replace(PENDING, script=MONITORED, job=Job.RUNNING), Step.REPORT_ERROR),
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
        (Job.FAILED, "ScriptFailed", "exit code 7"),
        (Job.TIMED_OUT, "ScriptTimedOut", "in time"),
        (Job.LOST, "ScriptLost", "cut off"),
    ],
)
def test_script_failures_say_why(job: Job, reason: str, words: str) -> None:
    failure = decide(replace(PENDING, vm=RUNNING, script=MONITORED, job=job, exit_code=7)).failure
    assert failure is not None
    assert failure.reason == reason
    assert words in failure.message


vms = st.none() | st.builds(
    SeenVm, st.sampled_from(["running", "stopped", "suspended", "failed"]), st.none() | st.just("ip"), st.booleans()
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
    script=st.none() | st.builds(Script, st.sampled_from(["NetworkUp", "Booted"]), st.booleans(), actions),
    job=st.sampled_from(Job),
    restart_wanted=st.booleans(),
    report_due=st.booleans(),
    failure=st.none() | st.builds(Failure, st.just("X"), st.just("x"), actions),
)


def done(now: Situation, step: Step, failure: Failure | None, outcome: Job) -> Situation:
    """The world after this step, as the worker and the Mac make it."""
    vm = now.vm
    up = SeenVm("running", ever_started=True)
    if step is Step.PULL:
        return replace(now, template_held=True)
    if step is Step.CLONE:
        return replace(now, vm=SeenVm("stopped"))
    if step is Step.CONFIGURE:
        return replace(now, configured=True)
    if step in (Step.START, Step.RESTART):
        return replace(now, vm=up, restart_wanted=False, report_due=True)
    if step is Step.AWAIT_NETWORK:
        return replace(now, vm=replace(up, ip="ip"))
    if step is Step.GROW_CONTAINER:
        return replace(now, grow=False)
    if step is Step.RUN_SCRIPT:
        return replace(now, job=Job.RUNNING)
    if step is Step.AWAIT_SCRIPT:
        return replace(now, job=outcome)
    if step is Step.STOP:
        assert vm is not None
        return replace(now, vm=SeenVm("stopped", ever_started=True), failure=failure or now.failure)
    if step is Step.DELETE:
        return replace(now, vm=None, failure=failure or now.failure)
    if step is Step.REPORT_STARTED:
        return replace(now, phase=Phase.STARTED, report_due=False)
    if step is Step.REPORT_STOPPED:
        return replace(now, phase=Phase.STOPPED, report_due=False)
    if step is Step.REPORT_ERROR:
        return replace(now, phase=Phase.ERROR, report_due=False)
    if step is Step.REPORT_VM:
        return replace(now, report_due=False)
    assert step is Step.RELEASE_FINALIZER
    return replace(now, finalizer=False)


def play(now: Situation, outcome: Job) -> tuple[list[Step], Situation]:
    """Steps until there is nothing to do."""
    steps: list[Step] = []
    while (decision := decide(now)).step is not Step.NOTHING:
        steps.append(decision.step)
        assert len(steps) < 20, f"no end: {steps}"
        assert not (decision.step is Step.CLONE and now.vm is not None), "a second VM"
        now = done(now, decision.step, decision.failure, outcome)
    return steps, now


outcomes = st.sampled_from([Job.SUCCEEDED, Job.FAILED, Job.TIMED_OUT, Job.LOST])


@given(situations, outcomes)
def test_every_plan_ends(now: Situation, outcome: Job) -> None:
    play(now, outcome)


@given(situations, outcomes)
def test_deletion_ends_without_vm_and_finalizer(now: Situation, outcome: Job) -> None:
    steps, after = play(replace(now, deleting=True, finalizer=True), outcome)
    assert after.vm is None
    assert not after.finalizer
    assert steps[-1] is Step.RELEASE_FINALIZER
    assert set(steps) <= {Step.STOP, Step.DELETE, Step.RELEASE_FINALIZER}


@given(situations, outcomes)
def test_a_running_vm_is_never_deleted_without_being_stopped(now: Situation, outcome: Job) -> None:
    while (decision := decide(now)).step is not Step.NOTHING:
        if decision.step is Step.DELETE:
            assert now.vm is not None
            assert not now.vm.running
        now = done(now, decision.step, decision.failure, outcome)


@given(situations)
def test_the_script_of_a_life_runs_once(now: Situation) -> None:
    steps, _ = play(now, Job.SUCCEEDED)
    assert steps.count(Step.RUN_SCRIPT) <= (1 if now.job is Job.NONE else 0)


@given(situations)
def test_nothing_happens_to_a_vm_that_is_over(now: Situation) -> None:
    over = replace(now, phase=Phase.ERROR, deleting=False)
    steps, _ = play(over, Job.SUCCEEDED)
    assert set(steps) <= {Step.REPORT_VM}


@given(situations, outcomes)
def test_a_start_ends_as_started_or_error(now: Situation, outcome: Job) -> None:
    fresh = replace(now, phase=Phase.SCHEDULING, deleting=False, vm=None, job=Job.NONE, configured=False)
    _, after = play(fresh, outcome)
    if fresh.failure is not None:
        assert after.phase is Phase.ERROR
    elif fresh.script is None or not fresh.script.monitoring or outcome is Job.SUCCEEDED:
        assert after.phase is Phase.STARTED
        assert after.vm is not None
    else:
        assert after.phase is Phase.ERROR
