"""Lists from outside: an element that cannot be read is left out, named in the log and counted; the others go on."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from prometheus_client import Counter

log = logging.getLogger(__name__)
T = TypeVar("T")

UNREADABLE = Counter("anka_unreadable_elements_total", "Elements of lists from outside that were left out", ["list"])
NAMES = ("uuid", "id", "tag", "name", "location", "service")
"""What names an element, if it has it."""
MOST_NAMED = 5
_MOST_SUBJECTS = 1000
_told: dict[tuple[str, str], frozenset[str]] = {}
"""What the log has named, by list and subject: once for each change, not at each reading."""


def read_elements(what: str, rows: Iterable[Any], parse: Callable[[Any], T], *, subject: str = "") -> list[T]:
    """The elements that can be parsed. `what` names the list, for people and in the metric; `subject` what it is about,
    such as a template's id."""
    found: list[T] = []
    problems: dict[str, str] = {}
    for position, row in enumerate(rows):
        try:
            found.append(parse(row))
        except Exception as error:  # whatever a parser trips over
            UNREADABLE.labels(what).inc()
            problems[_name(row, position)] = " ".join(str(error).split())[:200] or type(error).__name__
    _tell(what, subject, problems)
    return found


def _tell(what: str, subject: str, problems: Mapping[str, str]) -> None:
    key, now = (what, subject), frozenset(problems)
    if now == _told.get(key, frozenset()):
        return
    if problems:
        if len(_told) >= _MOST_SUBJECTS:
            _told.clear()
        _told[key] = now
        named = "; ".join(f"{name}: {problem}" for name, problem in list(problems.items())[:MOST_NAMED])
        more = f"; and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
        where = f"{what} of {subject}" if subject else what
        log.warning("left out of %s, because they cannot be read: %s%s", where, named, more)
    else:
        del _told[key]
        log.info("all of %s can be read again", f"{what} of {subject}" if subject else what)


def _name(row: Any, position: int) -> str:
    names = row if isinstance(row, Mapping) else {}
    found = next((names[key] for key in NAMES if isinstance(names.get(key), str) and names[key]), None)
    return f"number {position + 1}" if found is None else repr(found[:80])
