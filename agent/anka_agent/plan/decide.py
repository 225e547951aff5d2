"""The next step for one instance, from everything that is known about it. Level-triggered: what was done before does
not matter, only what is there now; so an agent killed anywhere goes on from what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from anka_agent.plan.situation import Failure, Job, Script, SeenVm, Situation
from anka_crds.api.phase import Phase


class Step(StrEnum):
    """What the agent can do for an instance; each may be done twice without harm."""

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
    RELEASE_FINALIZER = "release finalizer"


@dataclass(frozen=True, slots=True)
class Decision:
    step: Step
    failure: Failure | None = None
    """Why, for REPORT_ERROR and for what leads to it."""


_STARTING = frozenset({Phase.SCHEDULING, Phase.PULLING})
_OVER = frozenset({Phase.ERROR, Phase.TERMINATED})
_SCRIPT_FAILURES = {
    Job.FAILED: ("ScriptFailed", "the startup script ended with exit code {code}"),
    Job.TIMED_OUT: ("ScriptTimedOut", "the startup script did not end in time"),
    Job.LOST: ("ScriptLost", "the startup script was cut off: the Mac or its Anka went down"),
}


def decide(now: Situation) -> Decision:
    """The next step; NOTHING when only a change from outside can require another."""
    if now.deleting:
        return _remove(now)
    if now.phase in _OVER:
        return Decision(Step.REPORT_VM if now.report_due else Step.NOTHING)
    if now.failure is not None:
        return _fail(now, now.failure)
    if now.vm is None:
        return _create(now)
    if now.vm.running:
        return _running(now, now.vm)
    return _halted(now, now.vm)


def _remove(now: Situation) -> Decision:
    if now.vm is not None:
        return Decision(Step.STOP if now.vm.running else Step.DELETE)
    return Decision(Step.RELEASE_FINALIZER if now.finalizer else Step.NOTHING)


def _fail(now: Situation, failure: Failure) -> Decision:
    """Do to the VM what the failure asks for, then tell."""
    if now.vm is not None and failure.vm != "Keep":
        if now.vm.running:
            return Decision(Step.STOP, failure)
        if failure.vm == "Delete":
            return Decision(Step.DELETE, failure)
    return Decision(Step.REPORT_ERROR, failure)


def _create(now: Situation) -> Decision:
    # A VM that has run is never made anew: its disk is gone, and with it what the user's job did there.
    if now.phase not in _STARTING or now.job is not Job.NONE:
        return _fail(now, Failure("VmLost", "the VM is no longer on the Mac"))
    return Decision(Step.CLONE if now.template_held else Step.PULL)


def _halted(now: Situation, vm: SeenVm) -> Decision:
    if vm.status == "failed" and now.phase in _STARTING:
        return _fail(now, Failure("VmFailed", "Anka reports the VM as failed"))
    if now.phase not in _STARTING:
        if now.restart_wanted:
            return Decision(Step.START)
        if now.phase is not Phase.STOPPED:
            return Decision(Step.REPORT_STOPPED)
        return Decision(Step.REPORT_VM if now.report_due else Step.NOTHING)
    if vm.ever_started:
        return _fail(now, Failure("VmStopped", f"the VM went {vm.status} before it was ready"))
    if now.options and not now.configured:
        return Decision(Step.CONFIGURE)
    return Decision(Step.START)


def _running(now: Situation, vm: SeenVm) -> Decision:
    if now.phase not in _STARTING:
        if now.restart_wanted:
            return Decision(Step.RESTART)
        # Pushing here is a save that came to nothing: its VM is back.
        if not now.report_due and now.phase not in (Phase.STOPPED, Phase.PUSHING):
            return Decision(Step.NOTHING)
        return _once_networked(now, vm, Decision(Step.REPORT_STARTED))
    if now.grow:
        # Before the script, and before anybody uses the VM (seed, "disk").
        return Decision(Step.GROW_CONTAINER)
    if now.script is not None:
        waiting = _script(now, vm, now.script)
        if waiting is not None:
            return waiting
    return _once_networked(now, vm, Decision(Step.REPORT_STARTED))


def _script(now: Situation, vm: SeenVm, script: Script) -> Decision | None:
    """The step that the startup script needs; None when it holds nothing up."""
    if now.job is Job.NONE:
        run = Decision(Step.RUN_SCRIPT)
        return run if script.condition == "Booted" else _once_networked(now, vm, run)
    if not script.monitoring:
        return None
    if now.job is Job.RUNNING:
        return Decision(Step.AWAIT_SCRIPT)
    if now.job in _SCRIPT_FAILURES:
        reason, message = _SCRIPT_FAILURES[now.job]
        return _fail(now, Failure(reason, message.format(code=now.exit_code), script.on_failure))
    return None


def _once_networked(now: Situation, vm: SeenVm, then: Decision) -> Decision:
    return then if vm.ip or not now.network else Decision(Step.AWAIT_NETWORK)
