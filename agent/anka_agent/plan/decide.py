"""The next step for one instance, from everything that is known about it. Level-triggered: only the present state
counts, so an agent that was killed anywhere continues from what it finds."""

from dataclasses import dataclass
from enum import StrEnum

from anka_agent.plan.situation import InstanceFailure, JobState, ObservedVm, Situation, WantedScript
from anka_crds.api.conditions import InstanceReason
from anka_crds.api.states import Phase


class Step(StrEnum):
    """What the agent can do for an instance; each step may be repeated without harm."""

    NOTHING = "nothing"
    PULL = "pull"
    CLONE = "clone"
    CONFIGURE = "configure"
    START = "start"
    AWAIT_NETWORK = "await network"
    GROW_CONTAINER = "grow container"
    RUN_SCRIPT = "run script"
    AWAIT_SCRIPT = "await script"
    RESTART = "restart"
    STOP = "stop"
    DELETE = "delete"
    REPORT_STARTED = "report started"
    REPORT_STOPPED = "report stopped"
    REPORT_VM = "report vm"
    REPORT_ERROR = "report error"
    REFUSE = "refuse"
    RELEASE_FINALIZER = "release finalizer"


REPORTS = frozenset({Step.REPORT_STARTED, Step.REPORT_STOPPED, Step.REPORT_VM, Step.REPORT_ERROR, Step.REFUSE})


@dataclass(frozen=True, slots=True)
class Decision:
    step: Step
    failure: InstanceFailure | None = None
    """Why, for REPORT_ERROR, REFUSE and the steps that lead to them."""


_STARTING = frozenset({Phase.SCHEDULING, Phase.PULLING})
_OVER = frozenset({Phase.ERROR, Phase.TERMINATED})
_SCRIPT_FAILURES = {
    JobState.FAILED: (InstanceReason.SCRIPT_FAILED, "the startup script ended with exit code {code}"),
    JobState.TIMED_OUT: (InstanceReason.SCRIPT_TIMED_OUT, "the startup script did not end in time"),
    JobState.LOST: (InstanceReason.SCRIPT_LOST, "the startup script was cut off: the Mac or its Anka went down"),
}


def decide(now: Situation) -> Decision:
    """The next step; NOTHING when only a change from outside can require another."""
    if now.deleting:
        return _decide_removal(now)
    if now.phase in _OVER:
        return Decision(Step.REPORT_VM if now.report_due else Step.NOTHING)
    if now.refused:
        return Decision(Step.NOTHING)
    if now.failure is not None:
        return _decide_failure(now, now.failure)
    if now.vm is None:
        return _decide_creation(now)
    if now.vm.running:
        return _decide_running(now, now.vm)
    return _decide_halted(now, now.vm)


def _decide_removal(now: Situation) -> Decision:
    if now.vm is not None:
        return Decision(Step.STOP if now.vm.running else Step.DELETE)
    return Decision(Step.RELEASE_FINALIZER if now.finalizer else Step.NOTHING)


def _decide_failure(now: Situation, failure: InstanceFailure) -> Decision:
    """Do to the VM what the failure calls for, then report. Nothing stays here of what moves to another Mac."""
    moves = failure.elsewhere and now.movable
    if now.vm is not None and failure.vm != "Keep":
        if now.vm.running:
            return Decision(Step.STOP, failure)
        if moves or failure.vm == "Delete":
            return Decision(Step.DELETE, failure)
    return Decision(Step.REFUSE if moves else Step.REPORT_ERROR, failure)


def _decide_creation(now: Situation) -> Decision:
    # A VM that has run is never recreated: its disk held the work of the user's job.
    if now.phase not in _STARTING or now.job is not JobState.NONE:
        return _decide_failure(now, InstanceFailure(InstanceReason.VM_LOST, "the VM is no longer on the Mac"))
    return Decision(Step.CLONE if now.template_held else Step.PULL)


def _decide_halted(now: Situation, vm: ObservedVm) -> Decision:
    if vm.status == "failed" and now.phase in _STARTING:
        return _decide_failure(now, InstanceFailure(InstanceReason.VM_FAILED, "Anka reports the VM as failed"))
    if now.phase not in _STARTING:
        if now.restart_wanted:
            return Decision(Step.START)
        if now.phase is not Phase.STOPPED:
            return Decision(Step.REPORT_STOPPED)
        return Decision(Step.REPORT_VM if now.report_due else Step.NOTHING)
    if vm.ever_started:
        return _decide_failure(
            now, InstanceFailure(InstanceReason.VM_STOPPED, f"the VM went {vm.status} before it was ready")
        )
    if now.options and not now.configured:
        return Decision(Step.CONFIGURE)
    return Decision(Step.START)


def _decide_running(now: Situation, vm: ObservedVm) -> Decision:
    if now.phase not in _STARTING:
        if now.restart_wanted:
            return Decision(Step.RESTART)
        # Pushing, with no save in progress: the save failed, and its VM runs again.
        if not now.report_due and now.phase not in (Phase.STOPPED, Phase.PUSHING):
            return Decision(Step.NOTHING)
        return _after_network(now, vm, Decision(Step.REPORT_STARTED))
    if now.grow:
        # Before the script, and before the VM is used (docs/reference/legacy-api.md#start-vm).
        return Decision(Step.GROW_CONTAINER)
    if now.script is not None:
        waiting = _decide_script(now, vm, now.script)
        if waiting is not None:
            return waiting
    return _after_network(now, vm, Decision(Step.REPORT_STARTED))


def _decide_script(now: Situation, vm: ObservedVm, script: WantedScript) -> Decision | None:
    """The step that the startup script needs; None when nothing waits for it."""
    if now.job is JobState.NONE:
        run = Decision(Step.RUN_SCRIPT)
        return run if script.condition == "Booted" else _after_network(now, vm, run)
    if not script.monitoring:
        return None
    if now.job is JobState.RUNNING:
        return Decision(Step.AWAIT_SCRIPT)
    if now.job in _SCRIPT_FAILURES:
        reason, message = _SCRIPT_FAILURES[now.job]
        return _decide_failure(now, InstanceFailure(reason, message.format(code=now.exit_code), script.on_failure))
    return None


def _after_network(now: Situation, vm: ObservedVm, then: Decision) -> Decision:
    return then if vm.ip or not now.network else Decision(Step.AWAIT_NETWORK)
