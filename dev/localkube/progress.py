"""Progress lines for long work."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Say = Callable[[str], None]


def say_on_stderr(line: str) -> None:
    """Write to the real standard error, past pytest's capture: a build of minutes must not look like a hang."""
    print(line, file=sys.__stderr__, flush=True)


def minutes(seconds: float) -> str:
    """``m:ss``."""
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


@dataclass
class Heartbeat:
    """Passes on at most one line per ``interval`` seconds. ``clock`` gives monotonic seconds."""

    say: Say
    interval: float = 10.0
    clock: Callable[[], float] = time.monotonic
    _start: float = field(init=False)
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self._start = self._last = self.clock()

    @property
    def seconds(self) -> float:
        """Since this heartbeat began."""
        return self.clock() - self._start

    def beat(self, text: str) -> None:
        """Say ``text`` with the time since the beginning, unless a line came less than ``interval`` ago."""
        now = self.clock()
        if now - self._last >= self.interval:
            self._last = now
            self.say(f"{text} ({minutes(now - self._start)})")
