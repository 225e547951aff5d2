"""Lines of the event log, as a page of a list. Pure."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

LONGEST_LINE = 64 << 10


@dataclass(frozen=True, slots=True)
class EventPage:
    """`has_more`: whether the log has older ones."""

    events: Sequence[dict[str, Any]]
    has_more: bool


def read_events(tail: bytes, *, is_whole: bool) -> list[dict[str, Any]]:
    """The newest first. Each has an `event_id`: lines of the old controller get one that is made of what they say.

    `is_whole`: else the first line may be the end of one. Who writes to the registry's logs may write anything: lines
    that are no events are left out, such as the header of the file."""
    lines = tail.split(b"\n")
    if not is_whole:
        lines = lines[1:]
    return list(_parse(reversed(lines)))


def select_page(events: Sequence[dict[str, Any]], limit: int, before: str | None) -> EventPage | None:
    """Those that are older than the event `before`; None if that is not among them."""
    start = 0
    if before is not None:
        found = next((place for place, event in enumerate(events) if event["event_id"] == before), None)
        if found is None:
            return None
        start = found + 1
    return EventPage(events[start : start + limit], len(events) > start + limit)


def _parse(lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.startswith(b"{") or len(line) > LONGEST_LINE:
            continue
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(event.get("name"), str) and isinstance(event.get("time"), int):
            if not isinstance(event.get("event_id"), str):
                event["event_id"] = hashlib.sha256(line).hexdigest()[:32]
            yield event
