"""How statuses become JSON merge patches."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from anka_crds.api.conditions import ConditionReason, InitialReason
from anka_crds.api.meta import ApiModel, Condition
from anka_crds.rules.condition_list import with_health
from anka_crds.rules.lifecycle import Health

StatusPatch = dict[str, Any]


def to_list(items: Iterable[ApiModel]) -> list[StatusPatch]:
    return [item.to_api() for item in items]


def without_initial(conditions: Iterable[Condition]) -> list[Condition]:
    """Without the condition that the apiserver fills in by default before any controller has written."""
    return [condition for condition in conditions if condition.reason != InitialReason.PENDING]


def with_own_health(
    obj: Any,
    health: Health,
    reason: ConditionReason,
    message: str,
    now: datetime,
    *,
    conditions: Iterable[Condition] | None = None,
    unmet: tuple[Health, ConditionReason, str] | None = None,
) -> list[Condition]:
    """The conditions of `obj`, or `conditions` in their place, with this health for the generation that `obj` has."""
    before = without_initial(obj.status.conditions) if conditions is None else conditions
    return with_health(before, health, reason, message, generation=obj.metadata.generation, now=now, unmet=unmet)


def diff(current: ApiModel, wanted: ApiModel) -> StatusPatch:
    """The merge patch that turns `current` into `wanted`: it deletes removed keys and omits unchanged ones."""
    old, new = current.to_api(), wanted.to_api()
    return {key: new.get(key) for key in {**old, **new} if new.get(key) != old.get(key)}


def is_change(status: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
    return any(status.get(key) != value for key, value in patch.items())
