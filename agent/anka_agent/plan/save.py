"""The next step of saving one instance to the registry. Level-triggered as `decide` is: an agent killed anywhere goes
on from what it finds, ends with a push or with the instance as it was, and neither pushes nor runs the script twice.

Order (seed document, "Save Template Image"): script, suspend or stop, sanity test, revert, push. The registry is asked
first whether the push can succeed at all, so that a wrong tag costs nobody a suspended VM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from anka_agent.plan.situation import Job, SeenVm
from anka_crds.api.phase import Phase


class SaveStep(StrEnum):
    """What the agent can do for a save; each may be done twice without harm."""

    NOTHING = "nothing"
    REPORT_PUSHING = "report pushing"
    CHECK = "check"
    RUN_SCRIPT = "run script"
    AWAIT_SCRIPT = "script"
    HALT = "halt"
    TEST = "sanity test"
    REVERT = "revert"
    RENAME = "rename"
    PUSH = "begin push"
    AWAIT_PUSH = "push"
    CONFIRM = "confirm push"
    GIVE_UP = "give up"
    CANCEL = "cancel"
    RENAME_BACK = "rename back"
    RESUME = "resume"
    REPORT_DONE = "report done"
    REPORT_ERROR = "report error"
    FORGET = "forget"


class Stage(StrEnum):
    """How far the VM was brought. Written to disk before the step that it names."""

    BEGUN = "begun"
    HALTING = "halting"
    TESTING = "testing"
    TESTED = "tested"


@dataclass(frozen=True, slots=True)
class SaveFailure:
    """Why nothing was saved. `reason` is one CamelCase word, `type` and `code` are what REST shows."""

    reason: str
    message: str
    type: str | None = None
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What the agent itself must remember of a save, because nothing else shows it."""

    stage: Stage = Stage.BEGUN
    checked: bool = False
    """The registry takes the tag: it is not there yet, or goes with the revert."""
    revert: str | None = None
    """Tag that is reverted; empty for none; None before that was found out."""
    reverted: bool = False
    pushed: bool = False
    failure: SaveFailure | None = None
    finished: bool = False
    """Its outcome was told, or nobody wants it any more."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted, as far as it decides about steps."""

    suspend: bool = True
    script: bool = False
    cancel_on_script_failure: bool = False
    sanity_test: bool = False
    revert: bool = False
    new_template: bool = False

    @property
    def halted(self) -> str:
        """Status word of a VM that is ready to be pushed."""
        return "suspended" if self.suspend else "stopped"


@dataclass(frozen=True, slots=True)
class Saving:
    """One save at one moment. `phase` and `vm` are the instance's."""

    phase: Phase
    vm: SeenVm | None = None
    wish: Wish = field(default_factory=Wish)
    record: Record = field(default_factory=Record)
    script: Job = Job.NONE
    push: Job = Job.NONE
    renamed: bool = False
    """Whether the VM has the new template's name."""
    abandoned: bool = False
    """The request is gone, or somebody else ended it."""


@dataclass(frozen=True, slots=True)
class SaveDecision:
    step: SaveStep
    failure: SaveFailure | None = None
    """Why, for GIVE_UP."""


def decide_save(now: Saving) -> SaveDecision | None:
    """The next step; None when the instance's own plan has the say: it brings the VM back to Started, or ends it."""
    if now.record.pushed:
        if now.renamed:
            return SaveDecision(SaveStep.RENAME_BACK)
        return SaveDecision(SaveStep.FORGET if now.abandoned else SaveStep.REPORT_DONE)
    if now.record.failure is not None or now.abandoned:
        return _undo(now)
    if now.vm is None:
        return _give_up("VmLost", "the VM is no longer on the Mac")
    if now.phase is Phase.STARTED and (now.vm.running or now.record.stage is not Stage.BEGUN):
        return SaveDecision(SaveStep.REPORT_PUSHING)
    if now.phase is not Phase.PUSHING:
        return _give_up("NotRunning", f"the instance is {now.phase}, and must be {Phase.STARTED}")
    if not now.record.checked:
        return SaveDecision(SaveStep.CHECK)
    if now.push is not Job.NONE:
        return SaveDecision(SaveStep.AWAIT_PUSH if now.push is Job.RUNNING else SaveStep.CONFIRM)
    return _script_and_halt(now, now.vm) or _test(now, now.vm) or _publish(now)


def _script_and_halt(now: Saving, vm: SeenVm) -> SaveDecision | None:
    if now.record.stage is Stage.BEGUN:
        if not vm.running:
            return _stopped(vm)
        if now.wish.script:
            if now.script is Job.NONE:
                return SaveDecision(SaveStep.RUN_SCRIPT)
            if now.script is Job.RUNNING:
                return SaveDecision(SaveStep.AWAIT_SCRIPT)
            if now.wish.cancel_on_script_failure and now.script is not Job.SUCCEEDED:
                # Word for word what the old controller said, with its code (seed, "Save Template Image").
                return SaveDecision(
                    SaveStep.GIVE_UP, SaveFailure("ScriptFailed", "Script execution failed", type=None, code=0)
                )
        return SaveDecision(SaveStep.HALT)
    if now.record.stage is Stage.TESTING:
        return None
    if vm.running:
        return SaveDecision(SaveStep.HALT)
    # The Mac's power went, or somebody stopped the VM: what is on its disk is not what was asked to be saved.
    return None if vm.status == now.wish.halted else _stopped(vm)


def _test(now: Saving, vm: SeenVm) -> SaveDecision | None:
    """A suspended VM is resumed and suspended again."""
    if now.record.stage is Stage.TESTING:
        return SaveDecision(SaveStep.TEST) if vm.running or vm.status == now.wish.halted else _stopped(vm)
    wanted = now.wish.sanity_test and now.wish.suspend
    return SaveDecision(SaveStep.TEST) if wanted and now.record.stage is Stage.HALTING else None


def _publish(now: Saving) -> SaveDecision:
    if now.wish.revert and not now.record.reverted:
        return SaveDecision(SaveStep.REVERT)
    if now.wish.new_template and not now.renamed:
        return SaveDecision(SaveStep.RENAME)
    return SaveDecision(SaveStep.PUSH)


def _undo(now: Saving) -> SaveDecision | None:
    """Nothing is saved: the instance goes on as it was before, and only then the failure is told."""
    if Job.RUNNING in (now.script, now.push):
        return SaveDecision(SaveStep.CANCEL)
    if now.renamed:
        return SaveDecision(SaveStep.RENAME_BACK)
    if now.phase is Phase.PUSHING:
        if now.vm is not None and not now.vm.running and now.record.stage is not Stage.BEGUN:
            return SaveDecision(SaveStep.RESUME)
        return None
    return SaveDecision(SaveStep.FORGET if now.abandoned else SaveStep.REPORT_ERROR)


def _stopped(vm: SeenVm) -> SaveDecision:
    return _give_up("VmStopped", f"the VM went {vm.status} while it was saved")


def _give_up(reason: str, message: str) -> SaveDecision:
    return SaveDecision(SaveStep.GIVE_UP, SaveFailure(reason, message, reason))


def reverted_tag(tags: Sequence[str], wanted: str | None) -> str | None:
    """Which of a template's tags, oldest first, a revert begins with: the wanted one, else the latest. None when there
    is nothing to revert ("In case the tag does not exist, revert operation does not take place")."""
    if wanted is not None:
        return wanted if wanted in tags else None
    return tags[-1] if tags else None


def tag_in_the_way(tags: Sequence[str], tag: str, *, revert: bool, wanted: str | None) -> bool:
    """Whether the registry will refuse the push because the template has the tag, also after the revert, which takes
    away the tag that it begins with and all newer ones."""
    first = reverted_tag(tags, wanted) if revert else None
    kept = tags if first is None else tags[: list(tags).index(first)]
    return tag in kept
