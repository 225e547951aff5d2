"""Which part of the event log is asked for. Pure."""

from typing import Annotated

from pydantic import AfterValidator, Field

from anka_shim.http.parameter_types import Positive, Text, wrong_value
from anka_shim.http.request import RequestModel, option

MOST_EVENTS = 1000
DEFAULT_EVENTS = 200


def _check_limit(limit: int | None) -> int:
    if limit is not None and limit > MOST_EVENTS:
        raise wrong_value(f"must be at most {MOST_EVENTS}", limit)
    return limit or DEFAULT_EVENTS


class EventQuery(RequestModel):
    limit: Annotated[Positive, AfterValidator(_check_limit)] = Field(default=DEFAULT_EVENTS, description="At most.")
    before: Text = option("Only events that are older than the one with this event_id.")
