"""Time limits of an instance: spec.startDeadlineSeconds, maxLifetimeSeconds, ttlSecondsAfterFinished. The operator
enforces them, except the start deadline of an instance that has a node, which the node's agent enforces."""

from datetime import datetime, timedelta
from enum import StrEnum

from anka_crds.api.conditions import EventReason, InstanceReason
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.states import Phase
from anka_crds.rules.lifecycle import FINISHED

WAITING = frozenset({Phase.SCHEDULING, Phase.PULLING})


class Expiry(StrEnum):
    """Which limit is exceeded; the value is the reason of the Event."""

    START_DEADLINE = InstanceReason.START_DEADLINE_EXCEEDED
    MAX_LIFETIME = EventReason.MAX_LIFETIME_EXCEEDED
    TTL = EventReason.TTL_AFTER_FINISHED


def start_deadline(instance: AnkaInstance) -> datetime | None:
    """The time by which the instance must have started; None if it has, or if there is no limit.

    It restarts when the instance loses its node and waits for another one."""
    seconds = instance.spec.start_deadline_seconds
    since = instance.status.rescheduled_at or instance.metadata.creation_timestamp
    if seconds is None or since is None or instance.status.phase not in WAITING:
        return None
    return since + timedelta(seconds=seconds)


def late_message(instance: AnkaInstance) -> str:
    return f"The VM had not started {instance.spec.start_deadline_seconds} s after it was asked for"


def next_expiry(instance: AnkaInstance) -> tuple[datetime, Expiry] | None:
    """The next limit that the instance reaches, with its time; None if there is none, or if the instance is being
    deleted."""
    spec, status = instance.spec, instance.status
    if instance.metadata.deletion_timestamp is not None:
        return None
    ends: list[tuple[datetime, Expiry]] = []
    deadline = start_deadline(instance)
    if deadline is not None:
        ends.append((deadline, Expiry.START_DEADLINE))
    if spec.max_lifetime_seconds is not None and status.started_at is not None:
        ends.append((status.started_at + timedelta(seconds=spec.max_lifetime_seconds), Expiry.MAX_LIFETIME))
    if spec.ttl_seconds_after_finished is not None and status.finished_at is not None and status.phase in FINISHED:
        ends.append((status.finished_at + timedelta(seconds=spec.ttl_seconds_after_finished), Expiry.TTL))
    return min(ends, default=None)


def has_limit(instance: AnkaInstance) -> bool:
    """Whether the spec sets any of the three limits."""
    spec = instance.spec
    limits = (spec.start_deadline_seconds, spec.max_lifetime_seconds, spec.ttl_seconds_after_finished)
    return any(seconds is not None for seconds in limits)
