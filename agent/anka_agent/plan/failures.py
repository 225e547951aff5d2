"""What follows from a step that failed: another attempt, or the failure of the instance or the save. Pure."""

from dataclasses import dataclass

from anka_agent.anka.errors import (
    AlreadyExistsError,
    AnkaError,
    CommandTimeout,
    GarbageError,
    MissingCommand,
    NoRoomError,
    NotFoundError,
    UnusableArgument,
)
from anka_agent.plan.decide import Step
from anka_agent.plan.save import SaveFailure, SaveStep
from anka_agent.plan.situation import InstanceFailure
from anka_crds.api.conditions import InstanceReason, SaveReason

ATTEMPTS = 3
"""Attempts at one step before its failure counts."""
REASONS = {
    Step.PULL: (InstanceReason.PULL_FAILED, "the template cannot be pulled"),
    Step.CLONE: (InstanceReason.CLONE_FAILED, "the VM cannot be made"),
    Step.CONFIGURE: (InstanceReason.CONFIGURE_FAILED, "the VM cannot be set up as asked"),
    Step.START: (InstanceReason.START_FAILED, "the VM cannot be started"),
    Step.RESTART: (InstanceReason.RESTART_FAILED, "the VM cannot be restarted"),
    Step.AWAIT_NETWORK: (InstanceReason.NETWORK_FAILED, "the VM's address cannot be read"),
    Step.GROW_CONTAINER: (InstanceReason.DISK_RESIZE_FAILED, "the APFS container in the VM cannot be grown"),
    Step.RUN_SCRIPT: (InstanceReason.SCRIPT_FAILED, "the startup script cannot be run"),
}
SAVE_REASONS = {
    SaveStep.CHECK: (SaveReason.REGISTRY_FAILED, "the registry cannot be asked"),
    SaveStep.RUN_SCRIPT: (SaveReason.SCRIPT_FAILED, "the script cannot be run"),
    SaveStep.HALT: (SaveReason.SUSPEND_FAILED, "the VM cannot be suspended or stopped"),
    SaveStep.REVERT: (SaveReason.REVERT_FAILED, "the template cannot be reverted"),
    SaveStep.RENAME: (SaveReason.RENAME_FAILED, "the VM cannot get the template's name"),
    SaveStep.PUSH: (SaveReason.PUSH_FAILED, "the VM cannot be pushed"),
}


def is_worth_retrying(step: Step | SaveStep, error: AnkaError, attempt: int) -> bool:
    """Whether to try again after failure number `attempt` (from 1).

    A registry is a network away, so its errors may pass. What anka itself refuses, it refuses again. Each step of a
    save is retried, because nothing retries a save that has failed.
    """
    if attempt >= ATTEMPTS or isinstance(error, MissingCommand | UnusableArgument):
        return False
    if isinstance(step, SaveStep):
        return True
    if step is Step.PULL:
        return not isinstance(error, NotFoundError | NoRoomError)
    # A name that is taken, or a VM that vanished: the next decision starts from what is there then.
    return error.transient or isinstance(error, NotFoundError | AlreadyExistsError)


def fail_instance(step: Step, error: Exception) -> InstanceFailure:
    """How the instance fails, with the command's own message."""
    if isinstance(error, NoRoomError):
        return InstanceFailure(InstanceReason.NO_DISK_SPACE, error.message, elsewhere=True)
    reason, text = REASONS.get(step, (InstanceReason.FAILED, f"{step.value} failed"))
    if step is Step.PULL and isinstance(error, NotFoundError):
        reason = InstanceReason.TEMPLATE_NOT_FOUND
    return InstanceFailure(reason, f"{text}: {error}", elsewhere=_may_be_the_macs(step, error))


def _may_be_the_macs(step: Step, error: Exception) -> bool:
    """Whether the fault may be this Mac's: its licence, disk, link to the registry, or its anka. `anka` says so in
    words only, so a damaged template is tried on other Macs, too. What the registry does not have, and a setting that
    anka refuses, are the request's fault: the same everywhere."""
    if step is Step.CONFIGURE:
        return isinstance(error, MissingCommand | CommandTimeout | GarbageError)
    return step in (Step.PULL, Step.CLONE, Step.START) and not isinstance(error, NotFoundError | UnusableArgument)


def fail_save(step: SaveStep, error: AnkaError) -> SaveFailure:
    """How the save fails, with the command's own message and code."""
    reason, text = SAVE_REASONS.get(step, (SaveReason.FAILED, f"{step.value} failed"))
    return SaveFailure(reason, f"{text}: {error}", reason, error.code)


class StepFailed(Exception):
    """A step cannot succeed, for a reason other than a failed `anka` command: the instance fails."""

    def __init__(self, failure: InstanceFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class SaveFailed(Exception):
    """Nothing can be saved; the instance goes on."""

    def __init__(self, failure: SaveFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Reaction:
    """`failure`: the instance has failed with it; None: the step is tried again after a pause. `terminating`: what a
    removal that takes long says in the status."""

    failure: InstanceFailure | None = None
    terminating: str | None = None


def react(step: Step, error: AnkaError, attempt: int, *, deleting: bool, failure: InstanceFailure | None) -> Reaction:
    """The reaction to failure number `attempt` (from 1) of a step. `deleting`: the instance is deleted. `failure`: it
    has failed already, and the step does to its VM what the failure asks for."""
    if deleting:
        # A removal never gives up: the instance exists for as long as its VM may.
        return Reaction(terminating=f"The VM cannot be removed yet: {error}" if attempt >= ATTEMPTS else None)
    if failure is not None:
        if attempt < ATTEMPTS:
            return Reaction()
        # The VM stays as it is, so that the failure can be reported.
        return Reaction(InstanceFailure(failure.reason, f"{failure.message}; then {error}", "Keep"))
    return Reaction() if is_worth_retrying(step, error, attempt) else Reaction(fail_instance(step, error))
