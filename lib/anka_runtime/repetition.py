"""A flood of requests must not become a flood of log lines: it would fill the disk, and hide all others."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS

SECONDS = 1.0

MOST_CAUSES = 1024

CAUSE = "_cause"
"""Key in `extra` of what a line is about, where that is less than its text. The underscore keeps it out of the line."""
SUPPRESSED = "suppressed"
"""Field of a line: how many like it were left out before it."""

_RESERVED = frozenset(RESERVED_ATTRS)
_NO_SUBJECT = {"request_id", "client"}
"""Fields that do not say what a line is about: a client makes new requests as it likes."""


def list_fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a line shows beside its message: `extra` and the context. No line shows names that begin with `_`."""
    return {name: value for name, value in vars(record).items() if name not in _RESERVED and not name.startswith("_")}


@dataclass
class _Cause:
    until: float
    suppressed: int = 0


class RepetitionFilter(logging.Filter):
    """One line for each cause and second. The next one that passes says in `suppressed` how many did not.

    A cause is what the caller says; else, of warnings and worse, the text and what it is about: two instances can
    fail alike. Other lines all pass. Each handler has a filter of its own. Thread-safe: any thread may log."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._causes: dict[tuple[str, object], _Cause] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        # All handlers get the same record, one after the other: what the one before has counted is not ours.
        vars(record).pop(SUPPRESSED, None)
        cause = _find_cause(record)
        if cause is None:
            return True
        suppressed = self._admit((record.name, cause))
        if suppressed:
            setattr(record, SUPPRESSED, suppressed)
        return suppressed is not None

    def _admit(self, key: tuple[str, object]) -> int | None:
        """How many lines of this cause were left out since the last one; None if this one is, too."""
        with self._lock:
            now = self._monotonic()
            found = self._causes.get(key)
            if found is not None and now < found.until:
                found.suppressed += 1
                return None
            if found is not None:
                # To the end: the first are those that are over for the longest time.
                del self._causes[key]
            elif len(self._causes) >= MOST_CAUSES:
                del self._causes[next(iter(self._causes))]
            self._causes[key] = _Cause(now + SECONDS)
            return 0 if found is None else found.suppressed


def _find_cause(record: logging.LogRecord) -> object:
    """None: the line passes in any case."""
    cause = getattr(record, CAUSE, None)
    if cause is not None or record.levelno < logging.WARNING:
        return cause
    try:
        fields = list_fields(record)
        return (record.getMessage(), *sorted((name, str(fields[name])) for name in fields.keys() - _NO_SUBJECT))
    except Exception:
        # Arguments that do not fit the text: the handler reports that, and whoever logs must not fail of it.
        return None
