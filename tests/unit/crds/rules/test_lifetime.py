"""When the time of an instance is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anka_crds.rules.lifetime import Expiry, has_limit, next_expiry
from support.objects import START, instance


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


SCHEDULING: dict[str, Any] = {"phase": "Scheduling"}
PULLING = {"phase": "Pulling", "nodeName": "mac-1"}
STARTED = {"phase": "Started", "nodeName": "mac-1", "startedAt": at(100)}
ERROR = {"phase": "Error", "finishedAt": at(50)}
STOPPED = {"phase": "Stopped", "startedAt": at(100), "finishedAt": at(150)}
MOVED = {"phase": "Scheduling", "rescheduledAt": at(1000)}
DEADLINE: dict[str, Any] = {"startDeadlineSeconds": 60}
LIFETIME: dict[str, Any] = {"maxLifetimeSeconds": 30}
TTL: dict[str, Any] = {"ttlSecondsAfterFinished": 5}
ALL = {**DEADLINE, **LIFETIME, **TTL}


@pytest.mark.parametrize(
    ("status", "spec", "end"),
    [
        (SCHEDULING, {}, None),
        (SCHEDULING, DEADLINE, (60, Expiry.START_DEADLINE)),
        (PULLING, DEADLINE, (60, Expiry.START_DEADLINE)),
        (MOVED, DEADLINE, (1060, Expiry.START_DEADLINE)),
        (STARTED, DEADLINE, None),
        (ERROR, DEADLINE, None),
        (SCHEDULING, LIFETIME, None),
        (STARTED, LIFETIME, (130, Expiry.MAX_LIFETIME)),
        (STOPPED, LIFETIME, (130, Expiry.MAX_LIFETIME)),
        (ERROR, LIFETIME, None),
        (SCHEDULING, TTL, None),
        (STARTED, TTL, None),
        (ERROR, TTL, (55, Expiry.TTL)),
        (ERROR, {"ttlSecondsAfterFinished": 0}, (50, Expiry.TTL)),
        (STOPPED, TTL, (155, Expiry.TTL)),
        ({"phase": "Terminated", "finishedAt": at(1)}, TTL, (6, Expiry.TTL)),
        # Started again after it had stopped: the end of then is no end any more.
        ({**STARTED, "finishedAt": at(90)}, TTL, None),
        (SCHEDULING, ALL, (60, Expiry.START_DEADLINE)),
        (STARTED, ALL, (130, Expiry.MAX_LIFETIME)),
        (STOPPED, ALL, (130, Expiry.MAX_LIFETIME)),
        (ERROR, ALL, (55, Expiry.TTL)),
    ],
)
def test_the_next_end(status: dict[str, Any], spec: dict[str, Any], end: tuple[int, Expiry] | None) -> None:
    seen = next_expiry(instance(status=status, **spec))
    assert seen == (None if end is None else (START + timedelta(seconds=end[0]), end[1]))


def test_one_that_is_being_deleted_has_nothing_ahead() -> None:
    gone = instance(status=ERROR, meta={"deletionTimestamp": at(0)}, **ALL)
    assert next_expiry(gone) is None


@pytest.mark.parametrize("spec", [DEADLINE, LIFETIME, TTL, {"ttlSecondsAfterFinished": 0}])
def test_limited(spec: dict[str, Any]) -> None:
    assert has_limit(instance(**spec))
    assert not has_limit(instance())
