"""How long an instance may wait, live and be kept: spec.startDeadlineSeconds, maxLifetimeSeconds,
ttlSecondsAfterFinished. The operator keeps them; the deadline of one that has a node is its agent's."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.phase import Phase

LATE = "StartDeadlineExceeded"
"""Reason of an instance that had not started in time."""

WAITING = frozenset({Phase.SCHEDULING, Phase.PULLING})
FINISHED = frozenset({Phase.ERROR, Phase.STOPPED, Phase.TERMINATED})


class End(StrEnum):
    """What happens when a time is over; the value is the reason that Events show."""

    LATE = LATE
    LIFETIME = "MaxLifetimeExceeded"
    KEPT = "TTLAfterFinished"


def start_deadline(instance: AnkaInstance) -> datetime | None:
    """Until when it must have started; None when it has, or may take any time.

    Counted anew when it lost its node and waits for another: it had started in time once."""
    seconds = instance.spec.start_deadline_seconds
    since = instance.status.rescheduled_at or instance.metadata.creation_timestamp
    if seconds is None or since is None or instance.status.phase not in WAITING:
        return None
    return since + timedelta(seconds=seconds)


def late_words(instance: AnkaInstance) -> str:
    return f"The VM had not started {instance.spec.start_deadline_seconds} s after it was asked for"


def next_end(instance: AnkaInstance) -> tuple[datetime, End] | None:
    """The next time that runs out for it, and what then happens; None when none does. One that is being deleted has
    nothing ahead."""
    spec, status = instance.spec, instance.status
    if instance.metadata.deletion_timestamp is not None:
        return None
    ends: list[tuple[datetime, End]] = []
    deadline = start_deadline(instance)
    if deadline is not None:
        ends.append((deadline, End.LATE))
    if spec.max_lifetime_seconds is not None and status.started_at is not None:
        ends.append((status.started_at + timedelta(seconds=spec.max_lifetime_seconds), End.LIFETIME))
    if spec.ttl_seconds_after_finished is not None and status.finished_at is not None and status.phase in FINISHED:
        ends.append((status.finished_at + timedelta(seconds=spec.ttl_seconds_after_finished), End.KEPT))
    return min(ends, default=None)


def limited(instance: AnkaInstance) -> bool:
    """Whether any of the three is set."""
    spec = instance.spec
    return not (
        spec.start_deadline_seconds is None
        and spec.max_lifetime_seconds is None
        and spec.ttl_seconds_after_finished is None
    )
