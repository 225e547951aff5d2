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
)
from anka_agent.instances import failures
from anka_agent.plan.decide import Step


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
    ],
)
def test_worth_another_try(step: Step, error: AnkaError, again: bool) -> None:
    assert failures.worth_another_try(step, error, 1) is again
    assert not failures.worth_another_try(step, error, failures.ATTEMPTS)


def test_what_does_not_fit_is_told_in_its_own_words() -> None:
    found = failures.failure(Step.PULL, NoRoomError("the template needs 1 GB"))
    assert (found.reason, found.message) == ("NoDiskSpace", "the template needs 1 GB")


def test_delays_grow_to_a_limit() -> None:
    assert [failures.delay(attempt) for attempt in (1, 2, 3, 5, 6, 10**6)] == [1, 2, 4, 16, 30, 30]


@pytest.mark.parametrize(
    ("step", "error", "reason"),
    [
        (Step.PULL, AnkaError("x"), "PullFailed"),
        (Step.PULL, NotFoundError("x"), "TemplateNotFound"),
        (Step.START, AnkaError("x"), "StartFailed"),
        (Step.STOP, AnkaError("x"), "Failed"),
    ],
)
def test_reasons(step: Step, error: AnkaError, reason: str) -> None:
    failure = failures.failure(step, error)
    assert failure.reason == reason
    assert failure.message.endswith(": x")
