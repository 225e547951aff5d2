"""Which failed steps are worth another attempt, and what a failure says."""

from __future__ import annotations

import pytest

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
from anka_agent.plan import failures
from anka_agent.plan.decide import Step
from anka_agent.plan.failures import ATTEMPTS, Reaction, react
from anka_agent.plan.save import SaveStep
from anka_agent.plan.situation import InstanceFailure
from anka_crds.api.conditions import InstanceReason, SaveReason


@pytest.mark.parametrize(
    ("step", "error", "again"),
    [
        (Step.START, AnkaError("no"), False),
        (Step.CONFIGURE, AnkaError("no"), False),
        (Step.START, CommandTimeout("slow"), True),
        (Step.CLONE, GarbageError("?"), True),
        (Step.CLONE, AlreadyExistsError("there"), True),
        (Step.CLONE, NotFoundError("gone"), True),
        (Step.CLONE, AnkaError("disk full"), False),
        (Step.PULL, AnkaError("registry down"), True),
        (Step.PULL, NotFoundError("no such tag"), False),
        (Step.START, MissingCommand("anka"), False),
        (Step.PULL, NoRoomError("the template needs 1 GB"), False),
        (SaveStep.CHECK, AnkaError("registry down"), True),
        (SaveStep.RUN_SCRIPT, AnkaError("no"), True),
        (SaveStep.PUSH, MissingCommand("anka"), False),
    ],
)
def test_is_worth_retrying(step: Step | SaveStep, error: AnkaError, again: bool) -> None:
    assert failures.is_worth_retrying(step, error, 1) is again
    assert not failures.is_worth_retrying(step, error, failures.ATTEMPTS)


def test_what_does_not_fit_is_said_in_its_own_words() -> None:
    found = failures.fail_instance(Step.PULL, NoRoomError("the template needs 1 GB"))
    assert (found.reason, found.message) == ("NoDiskSpace", "the template needs 1 GB")


@pytest.mark.parametrize(
    ("step", "error", "reason", "message"),
    [
        (Step.PULL, AnkaError("x"), "PullFailed", "the template cannot be pulled: x"),
        (Step.PULL, NotFoundError("x"), "TemplateNotFound", "the template cannot be pulled: x"),
        (Step.START, AnkaError("x"), "StartFailed", "the VM cannot be started: x"),
        (Step.RUN_SCRIPT, AnkaError("x"), "ScriptFailed", "the startup script cannot be run: x"),
        (Step.STOP, AnkaError("x"), "Failed", "stop failed: x"),
    ],
)
def test_failures_of_instances(step: Step, error: AnkaError, reason: str, message: str) -> None:
    failure = failures.fail_instance(step, error)
    assert (failure.reason, failure.message) == (reason, message)


@pytest.mark.parametrize(
    ("step", "error", "elsewhere"),
    [
        (Step.PULL, AnkaError("registry down"), True),
        (Step.PULL, NoRoomError("the template needs 1 GB"), True),
        (Step.PULL, NotFoundError("no such tag"), False),
        (Step.CLONE, AnkaError("disk full"), True),
        (Step.CLONE, GarbageError("?"), True),
        (Step.CLONE, UnusableArgument("NUL"), False),
        (Step.CONFIGURE, AnkaError("too many cores"), False),
        (Step.CONFIGURE, MissingCommand("anka"), True),
        (Step.CONFIGURE, CommandTimeout("slow"), True),
        (Step.START, AnkaError("license expired"), True),
        (Step.START, MissingCommand("anka"), True),
        (Step.RESTART, AnkaError("no"), False),
        (Step.AWAIT_NETWORK, AnkaError("no"), False),
        (Step.RUN_SCRIPT, AnkaError("no"), False),
    ],
)
def test_whose_fault_it_may_be(step: Step, error: AnkaError, elsewhere: bool) -> None:
    assert failures.fail_instance(step, error).elsewhere is elsewhere


@pytest.mark.parametrize(
    ("step", "reason", "message"),
    [
        (SaveStep.HALT, SaveReason.SUSPEND_FAILED, "the VM cannot be suspended or stopped: x"),
        (SaveStep.RUN_SCRIPT, SaveReason.SCRIPT_FAILED, "the script cannot be run: x"),
        (SaveStep.CONFIRM, SaveReason.FAILED, "confirm push failed: x"),
    ],
)
def test_failures_of_saves(step: SaveStep, reason: SaveReason, message: str) -> None:
    failure = failures.fail_save(step, AnkaError("x", 9))
    assert (failure.reason, failure.message, failure.type, failure.code) == (reason, message, reason, 9)


FAILED = InstanceFailure(InstanceReason.CLONE_FAILED, "the VM cannot be made: x")
RETRY = Reaction()
SLOW, NO = CommandTimeout("slow", command="start"), AnkaError("no", command="stop")


@pytest.mark.parametrize(
    ("step", "error", "attempt", "deleting", "failure", "reaction"),
    [
        (Step.START, SLOW, 1, False, None, RETRY),
        (Step.START, SLOW, ATTEMPTS, False, None,
         Reaction(InstanceFailure(InstanceReason.START_FAILED, "the VM cannot be started: anka start: slow",
                                  elsewhere=True))),
        (Step.START, MissingCommand("gone"), 1, False, None,
         Reaction(InstanceFailure(InstanceReason.START_FAILED, "the VM cannot be started: gone", elsewhere=True))),
        (Step.STOP, NO, 1, False, FAILED, RETRY),
        (Step.STOP, NO, ATTEMPTS, False, FAILED,
         Reaction(InstanceFailure(InstanceReason.CLONE_FAILED, f"{FAILED.message}; then anka stop: no", "Keep"))),
        (Step.STOP, NO, 1, True, None, RETRY),
        (Step.STOP, NO, ATTEMPTS, True, None,
         Reaction(terminating="The VM cannot be removed yet: anka stop: no")),
        (Step.DELETE, NO, 1000, True, FAILED,
         Reaction(terminating="The VM cannot be removed yet: anka stop: no")),
    ],
    ids=[
        "what may pass is tried again", "three attempts", "no anka at all", "a failed instance's VM is tried again",
        "but not for ever", "a removal is tried again", "and says so", "and never gives up",
    ],
)  # fmt: skip
def test_reactions(
    step: Step,
    error: AnkaError,
    attempt: int,
    deleting: bool,
    failure: InstanceFailure | None,
    reaction: Reaction,
) -> None:
    assert react(step, error, attempt, deleting=deleting, failure=failure) == reaction
