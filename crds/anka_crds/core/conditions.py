"""Conditions with the meanings of kstatus, as pure functions over a list.

Ready=True: can be used. Reconciling=True: on its way. Stalled=True: failed, and will not heal by itself.
Reconciling and Stalled are there only while true ("abnormal-true"). lastTransitionTime moves only when a status does.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from anka_crds.api.meta import Condition
from anka_crds.core.lifecycle import Health

ConditionStatus = Literal["True", "False", "Unknown"]


def find(conditions: Iterable[Condition], kind: str) -> Condition | None:
    return next((condition for condition in conditions if condition.type == kind), None)


def is_true(conditions: Iterable[Condition], kind: str) -> bool:
    found = find(conditions, kind)
    return found is not None and found.status == "True"


def with_condition(
    conditions: Iterable[Condition],
    kind: str,
    status: ConditionStatus,
    reason: str,
    message: str,
    *,
    generation: int,
    now: datetime,
) -> list[Condition]:
    """The list with this condition set, in its old place. `now` is used only when the status flips."""
    before = list(conditions)
    old = find(before, kind)
    moved = old is None or old.status != status
    new = Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=now.replace(microsecond=0) if old is None or moved else old.last_transition_time,
        observed_generation=generation,
    )
    if old is None:
        return [*before, new]
    return [new if condition.type == kind else condition for condition in before]


def without(conditions: Iterable[Condition], *kinds: str) -> list[Condition]:
    return [condition for condition in conditions if condition.type not in kinds]


def observed(conditions: Iterable[Condition], generation: int) -> list[Condition]:
    """The same conditions, found to hold for this generation too."""
    return [condition.model_copy(update={"observed_generation": generation}) for condition in conditions]


def summarised(
    conditions: Iterable[Condition],
    health: Health,
    reason: str,
    message: str,
    *,
    generation: int,
    now: datetime,
    but: tuple[Health, str, str] | None = None,
) -> list[Condition]:
    """Ready, Reconciling and Stalled for an object of this health; other conditions stay as they are.

    `but`: of one that can be used and is not what its spec asks for: not yet (PROGRESSING) or never (FAILED), with
    reason and message. kstatus calls it InProgress or Failed, while Ready stays True.
    """
    ready: ConditionStatus = "True" if health is Health.READY else "False"
    result = with_condition(conditions, "Ready", ready, reason, message, generation=generation, now=now)
    abnormal = but or (health, reason, message)
    for kind, wanted in (("Reconciling", Health.PROGRESSING), ("Stalled", Health.FAILED)):
        if abnormal[0] is wanted:
            result = with_condition(result, kind, "True", *abnormal[1:], generation=generation, now=now)
        else:
            result = without(result, kind)
    return result
