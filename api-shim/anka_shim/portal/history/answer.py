"""History as JSON. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from anka_shim.portal.history.past_instances import PastInstance
from anka_shim.portal.history.timeline import StartStep
from anka_shim.times import rfc3339

_DIGITS = 3


def timeline_answer(
    steps: Iterable[StartStep], medians: Mapping[str, float], starts: int, since: datetime, now: datetime
) -> dict[str, Any]:
    """`medians` are of so many `starts`."""
    return {
        "steps": [
            {
                "name": step.name,
                "from": rfc3339(step.begin),
                "to": None if step.end is None else rfc3339(step.end),
                "seconds": round(step.seconds(now), _DIGITS),
                "seen": step.is_seen,
            }
            for step in steps
        ],
        "median": dict(medians),
        "of": starts,
        "since": rfc3339(since),
    }


def past_instances(instances: Sequence[PastInstance]) -> list[dict[str, Any]]:
    return [_past_instance(one) for one in instances]


def _past_instance(one: PastInstance) -> dict[str, Any]:
    """What is not known is left out."""
    known = {
        "id": one.id,
        "name": one.name,
        "template": one.template,
        "tag": one.tag,
        "boundAt": rfc3339(one.bound_at),
        "startedAt": _time(one.started_at),
        "finishedAt": _time(one.finished_at),
        "result": one.result,
        "reason": one.reason or None,
        "message": one.message or None,
    }
    return {key: value for key, value in known.items() if value is not None}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
