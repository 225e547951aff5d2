"""How statuses are put into JSON merge patches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from anka_crds.api.meta import ApiModel, Condition

Status = dict[str, Any]


def text(moment: datetime) -> str:
    """metav1.Time: whole seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def listed(items: Iterable[ApiModel]) -> list[Status]:
    return [item.to_api() for item in items]


def settled(conditions: Iterable[Condition]) -> list[Condition]:
    """Conditions without the one that the apiserver fills in before any controller wrote."""
    return [condition for condition in conditions if condition.reason != "Pending"]


def whole(status: ApiModel, current: ApiModel) -> Status:
    """A merge patch that turns `current` into `status`: what is no longer there is deleted, what stays is left out."""
    wanted, known = status.to_api(), current.to_api()
    return {key: wanted.get(key) for key in {**known, **wanted} if wanted.get(key) != known.get(key)}


def bounded(words: str, limit: int = 4096) -> str:
    return words if len(words) <= limit else words[: limit - 1] + "…"


def differs(status: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
    return any(status.get(key) != value for key, value in patch.items())
