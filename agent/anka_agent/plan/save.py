"""The next step of saving one instance to the registry. Level-triggered like `decide`: an agent that was killed
anywhere continues from what it finds. It ends with a push or with the instance as it was; script and push run once.

Order (docs/reference/legacy-api.md#save-image): script, suspend or stop, sanity test, revert, push. The registry is
asked first whether the push can succeed: a wrong tag must not cause a VM to be suspended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from anka_agent.plan.situation import JobState, ObservedVm
from anka_crds.api.conditions import SaveReason
from anka_crds.api.states import Phase


class SaveStep(StrEnum):
    """What the agent can do for a save; each step may be repeated without harm."""

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


SAVE_REPORTS = frozenset(
    {
        SaveStep.REPORT_PUSHING,
        SaveStep.REPORT_DONE,
        SaveStep.REPORT_ERROR,
        SaveStep.GIVE_UP,
        SaveStep.CANCEL,
        SaveStep.FORGET,
    }
)


class Stage(StrEnum):
    """How far the save has got. Written to disk before the step that it names."""

    BEGUN = "begun"
    HALTING = "halting"
    TESTING = "testing"
    TESTED = "tested"


@dataclass(frozen=True, slots=True)
class SaveFailure:
    """Why nothing was saved. `type` and `code` are what REST shows."""

    reason: SaveReason
    message: str
    type: str | None = None
    code: int | None = None


@dataclass(frozen=True, slots=True)
class SaveRecord:
    """What the agent itself must remember about a save, because nothing else shows it."""

    stage: Stage = Stage.BEGUN
    checked: bool = False
    """The registry takes the tag: it is not there yet, or goes with the revert."""
    revert: str | None = None
    """Tag that is reverted; empty for none; None until that is known."""
    reverted: bool = False
    pushed: bool = False
    failure: SaveFailure | None = None
    finished: bool = False
    """Its outcome was reported, or the request was deleted."""


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """The options of a save that decide its steps."""

    suspend: bool = True
    script: bool = False
    cancel_on_script_failure: bool = False
    sanity_test: bool = False
    revert: bool = False
    new_template: bool = False

    @property
    def halt_status(self) -> str:
        """Status word of a VM that is ready to be pushed."""
        return "suspended" if self.suspend else "stopped"


@dataclass(frozen=True, slots=True)
class SaveSituation:
    """One save at one moment. `phase` and `vm` are the instance's."""

    phase: Phase
    vm: ObservedVm | None = None
    options: SaveOptions = field(default_factory=SaveOptions)
    record: SaveRecord = field(default_factory=SaveRecord)
    script: JobState = JobState.NONE
    push: JobState = JobState.NONE
    renamed: bool = False
    """Whether the VM has the new template's name."""
    abandoned: bool = False
    """The request was deleted, or the operator ended it."""


@dataclass(frozen=True, slots=True)
class SaveDecision:
    step: SaveStep
    failure: SaveFailure | None = None
    """Why, for GIVE_UP."""


def decide_save(now: SaveSituation) -> SaveDecision | None:
    """The next step; None when the instance's own plan decides: it brings the VM back to Started, or ends it."""
    if now.record.pushed:
        if now.renamed:
            return SaveDecision(SaveStep.RENAME_BACK)
        return SaveDecision(SaveStep.FORGET if now.abandoned else SaveStep.REPORT_DONE)
    if now.record.failure is not None or now.abandoned:
        return _undo(now)
    if now.vm is None:
        return _give_up(SaveReason.VM_LOST, "the VM is no longer on the Mac")
    if now.phase is Phase.STARTED and (now.vm.running or now.record.stage is not Stage.BEGUN):
        return SaveDecision(SaveStep.REPORT_PUSHING)
    if now.phase is not Phase.PUSHING:
        return _give_up(SaveReason.NOT_RUNNING, f"the instance is {now.phase}, and must be {Phase.STARTED}")
    if not now.record.checked:
        return SaveDecision(SaveStep.CHECK)
    if now.push is not JobState.NONE:
        return SaveDecision(SaveStep.AWAIT_PUSH if now.push is JobState.RUNNING else SaveStep.CONFIRM)
    return _script_and_halt(now, now.vm) or _test(now, now.vm) or _publish(now)


def _script_and_halt(now: SaveSituation, vm: ObservedVm) -> SaveDecision | None:
    if now.record.stage is Stage.BEGUN:
        if not vm.running:
            return _give_up_stopped(vm)
        if now.options.script:
            if now.script is JobState.NONE:
                return SaveDecision(SaveStep.RUN_SCRIPT)
            if now.script is JobState.RUNNING:
                return SaveDecision(SaveStep.AWAIT_SCRIPT)
            if now.options.cancel_on_script_failure and now.script is not JobState.SUCCEEDED:
                # The exact message and code of the old controller (docs/reference/legacy-api.md#save-image).
                return SaveDecision(
                    SaveStep.GIVE_UP,
                    SaveFailure(SaveReason.SCRIPT_FAILED, "Script execution failed", type=None, code=0),
                )
        return SaveDecision(SaveStep.HALT)
    if now.record.stage is Stage.TESTING:
        return None
    if vm.running:
        return SaveDecision(SaveStep.HALT)
    # The Mac lost power, or the VM was stopped on it: its disk is not in the state that was to be saved.
    return None if vm.status == now.options.halt_status else _give_up_stopped(vm)


def _test(now: SaveSituation, vm: ObservedVm) -> SaveDecision | None:
    """A suspended VM is resumed and suspended again."""
    if now.record.stage is Stage.TESTING:
        return (
            SaveDecision(SaveStep.TEST) if vm.running or vm.status == now.options.halt_status else _give_up_stopped(vm)
        )
    wanted = now.options.sanity_test and now.options.suspend
    return SaveDecision(SaveStep.TEST) if wanted and now.record.stage is Stage.HALTING else None


def _publish(now: SaveSituation) -> SaveDecision:
    if now.options.revert and not now.record.reverted:
        return SaveDecision(SaveStep.REVERT)
    if now.options.new_template and not now.renamed:
        return SaveDecision(SaveStep.RENAME)
    return SaveDecision(SaveStep.PUSH)


def _undo(now: SaveSituation) -> SaveDecision | None:
    """Nothing is saved: the instance returns to its former state, and only then is the failure reported."""
    if JobState.RUNNING in (now.script, now.push):
        return SaveDecision(SaveStep.CANCEL)
    if now.renamed:
        return SaveDecision(SaveStep.RENAME_BACK)
    if now.phase is Phase.PUSHING:
        if now.vm is not None and not now.vm.running and now.record.stage is not Stage.BEGUN:
            return SaveDecision(SaveStep.RESUME)
        return None
    return SaveDecision(SaveStep.FORGET if now.abandoned else SaveStep.REPORT_ERROR)


def _give_up_stopped(vm: ObservedVm) -> SaveDecision:
    return _give_up(SaveReason.VM_STOPPED, f"the VM went {vm.status} while it was saved")


def _give_up(reason: SaveReason, message: str) -> SaveDecision:
    return SaveDecision(SaveStep.GIVE_UP, SaveFailure(reason, message, reason))


def find_revert_tag(tags: Sequence[str], wanted: str | None) -> str | None:
    """Which of a template's tags, oldest first, a revert begins with: the wanted one, else the latest. None when there
    is nothing to revert ("In case the tag does not exist, revert operation does not take place")."""
    if wanted is not None:
        return wanted if wanted in tags else None
    return tags[-1] if tags else None


def has_tag_conflict(tags: Sequence[str], tag: str, *, revert: bool, wanted: str | None) -> bool:
    """Whether the registry will refuse the push because the template has the tag, also after the revert, which takes
    away the tag that it begins with and all newer ones."""
    first = find_revert_tag(tags, wanted) if revert else None
    kept = tags if first is None else tags[: list(tags).index(first)]
    return tag in kept
