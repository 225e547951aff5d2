"""When a step that failed is tried again, and what it means when it is not. Pure."""

from __future__ import annotations

from anka_agent.anka.errors import AlreadyExistsError, AnkaError, MissingCommand, NoRoomError, NotFoundError
from anka_agent.plan.decide import Step
from anka_agent.plan.situation import Failure

ATTEMPTS = 3
REASONS = {
    Step.PULL: ("PullFailed", "the template cannot be pulled"),
    Step.CLONE: ("CloneFailed", "the VM cannot be made"),
    Step.CONFIGURE: ("ConfigureFailed", "the VM cannot be set up as asked"),
    Step.START: ("StartFailed", "the VM cannot be started"),
    Step.RESTART: ("RestartFailed", "the VM cannot be restarted"),
    Step.AWAIT_NETWORK: ("NetworkFailed", "the VM's address cannot be read"),
    Step.GROW_CONTAINER: ("DiskResizeFailed", "the APFS container in the VM cannot be grown"),
    Step.RUN_SCRIPT: ("ScriptFailed", "the startup script cannot be run"),
}


def worth_another_try(step: Step, error: AnkaError, attempt: int) -> bool:
    """Whether to try again after failure number `attempt` (from 1).

    A registry is a network away: its errors pass. What anka itself refuses, it refuses again.
    """
    if attempt >= ATTEMPTS or isinstance(error, MissingCommand):
        return False
    if step is Step.PULL:
        return not isinstance(error, NotFoundError | NoRoomError)
    # A name that is taken, or a VM that vanished: look again and decide anew.
    return error.transient or isinstance(error, NotFoundError | AlreadyExistsError)


def delay(attempt: int) -> float:
    """Seconds before the next try."""
    return float(min(2 ** min(attempt - 1, 5), 30))


def failure(step: Step, error: Exception) -> Failure:
    """The instance's end, with the command's own message."""
    if isinstance(error, NoRoomError):
        return Failure("NoDiskSpace", error.message)
    reason, what = REASONS.get(step, ("Failed", f"{step.value} failed"))
    if step is Step.PULL and isinstance(error, NotFoundError):
        reason = "TemplateNotFound"
    return Failure(reason, f"{what}: {error}")
