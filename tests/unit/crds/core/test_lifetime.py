"""When the time of an instance is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anka_crds.core.lifetime import End, limited, next_end
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
        (SCHEDULING, DEADLINE, (60, End.LATE)),
        (PULLING, DEADLINE, (60, End.LATE)),
        (MOVED, DEADLINE, (1060, End.LATE)),
        (STARTED, DEADLINE, None),
        (ERROR, DEADLINE, None),
        (SCHEDULING, LIFETIME, None),
        (STARTED, LIFETIME, (130, End.LIFETIME)),
        (STOPPED, LIFETIME, (130, End.LIFETIME)),
        (ERROR, LIFETIME, None),
        (SCHEDULING, TTL, None),
        (STARTED, TTL, None),
        (ERROR, TTL, (55, End.KEPT)),
        (ERROR, {"ttlSecondsAfterFinished": 0}, (50, End.KEPT)),
        (STOPPED, TTL, (155, End.KEPT)),
        ({"phase": "Terminated", "finishedAt": at(1)}, TTL, (6, End.KEPT)),
        # Started again after it had stopped: the end of then is no end any more.
        ({**STARTED, "finishedAt": at(90)}, TTL, None),
        (SCHEDULING, ALL, (60, End.LATE)),
        (STARTED, ALL, (130, End.LIFETIME)),
        (STOPPED, ALL, (130, End.LIFETIME)),
        (ERROR, ALL, (55, End.KEPT)),
    ],
)
def test_the_next_end(status: dict[str, Any], spec: dict[str, Any], end: tuple[int, End] | None) -> None:
    seen = next_end(instance(status=status, **spec))
    assert seen == (None if end is None else (START + timedelta(seconds=end[0]), end[1]))


def test_one_that_is_being_deleted_has_nothing_ahead() -> None:
    gone = instance(status=ERROR, meta={"deletionTimestamp": at(0)}, **ALL)
    assert next_end(gone) is None


@pytest.mark.parametrize("spec", [DEADLINE, LIFETIME, TTL, {"ttlSecondsAfterFinished": 0}])
def test_limited(spec: dict[str, Any]) -> None:
    assert limited(instance(**spec))
    assert not limited(instance())
