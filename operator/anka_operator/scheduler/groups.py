"""Groups and their fallbacks: where a request for a group may go, in order."""

from __future__ import annotations

from collections.abc import Mapping


def chain(group: str, fallbacks: Mapping[str, str | None]) -> tuple[str, ...]:
    """The group, its fallback, the fallback's fallback, …; ends before a group that is missing or came already."""
    result: list[str] = []
    current: str | None = group
    while current is not None and current in fallbacks and current not in result:
        result.append(current)
        current = fallbacks[current]
    return tuple(result)


def cycle(group: str, fallbacks: Mapping[str, str | None]) -> tuple[str, ...]:
    """The groups from `group` on, back to the first that comes again; empty when the chain ends."""
    seen = [group]
    current = fallbacks.get(group)
    while current is not None:
        if current in seen:
            return (*seen, current)
        seen.append(current)
        current = fallbacks.get(current)
    return ()
