"""Conditions with the meanings of kstatus, as pure functions over a list.

Ready=True: can be used. Reconciling=True: in progress. Stalled=True: failed, and does not recover by itself.
Reconciling and Stalled are present only while true ("abnormal-true"). lastTransitionTime changes only with the status.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from anka_crds.api.conditions import ConditionReason, ConditionType
from anka_crds.api.limits import CONDITION_BYTES
from anka_crds.api.meta import Condition
from anka_crds.rules.lifecycle import Health
from anka_crds.rules.text import shorten_bytes

ConditionStatus = Literal["True", "False", "Unknown"]


def find(conditions: Iterable[Condition], kind: str) -> Condition | None:
    return next((condition for condition in conditions if condition.type == kind), None)


def with_condition(
    conditions: Iterable[Condition],
    kind: ConditionType,
    status: ConditionStatus,
    reason: ConditionReason,
    message: str,
    *,
    generation: int,
    now: datetime,
) -> list[Condition]:
    """The list with this condition set, in its previous position. `now` is used only when the status changes."""
    before = list(conditions)
    old = find(before, kind)
    moved = old is None or old.status != status
    new = Condition(
        type=kind,
        status=status,
        reason=reason,
        message=shorten_bytes(message, CONDITION_BYTES),
        last_transition_time=now.replace(microsecond=0) if old is None or moved else old.last_transition_time,
        observed_generation=generation,
    )
    if old is None:
        return [*before, new]
    return [new if condition.type == kind else condition for condition in before]


def without(conditions: Iterable[Condition], *kinds: ConditionType) -> list[Condition]:
    return [condition for condition in conditions if condition.type not in kinds]


def with_generation(conditions: Iterable[Condition], generation: int) -> list[Condition]:
    """The same conditions, computed from this generation."""
    return [condition.model_copy(update={"observed_generation": generation}) for condition in conditions]


def with_health(
    conditions: Iterable[Condition],
    health: Health,
    reason: ConditionReason,
    message: str,
    *,
    generation: int,
    now: datetime,
    unmet: tuple[Health, ConditionReason, str] | None = None,
) -> list[Condition]:
    """Ready, Reconciling and Stalled for an object of this health; other conditions are unchanged.

    `unmet`: for a usable object that does not match its spec yet (PROGRESSING) or cannot (FAILED), with reason and
    message. It is InProgress or Failed for kstatus, while Ready stays True.
    """
    ready: ConditionStatus = "True" if health is Health.READY else "False"
    result = with_condition(conditions, ConditionType.READY, ready, reason, message, generation=generation, now=now)
    abnormal = unmet or (health, reason, message)
    for kind, expected in ((ConditionType.RECONCILING, Health.PROGRESSING), (ConditionType.STALLED, Health.FAILED)):
        if abnormal[0] is expected:
            result = with_condition(result, kind, "True", *abnormal[1:], generation=generation, now=now)
        else:
            result = without(result, kind)
    return result
