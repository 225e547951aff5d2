"""What all rows share. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from anka_crds.api.conditions import ConditionType
from anka_crds.api.meta import REQUESTED_BY, Condition, KubeObject, ObjectMeta
from anka_crds.rules.condition_list import find
from anka_shim.times import rfc3339

Row = dict[str, Any]
"""JSON with the names of `portal/static/core/types.d.ts`. What is absent is left out: never a null."""


def compact(**fields: Any) -> Row:
    """Without what is None."""
    return {name: value for name, value in fields.items() if value is not None}


def time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def requester(metadata: ObjectMeta) -> str | None:
    return metadata.annotations.get(REQUESTED_BY)


def ready(obj: KubeObject) -> Condition | None:
    conditions: Iterable[Condition] = getattr(getattr(obj, "status", None), "conditions", ())
    return find(conditions, ConditionType.READY)


def why_not_ready(obj: KubeObject) -> Row:
    """Reason and message, unless it is ready."""
    condition = ready(obj)
    if condition is None or condition.status == "True":
        return {}
    return {"reason": condition.reason, "message": condition.message}
