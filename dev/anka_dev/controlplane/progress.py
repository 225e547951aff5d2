"""Says now and then that long work is still alive."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

Say = Callable[[str], None]


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
    started: float = field(init=False)
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self._last = self.clock()

    @property
    def elapsed(self) -> float:
        """Seconds since this heartbeat began."""
        return self.clock() - self.started

    def beat(self, text: str) -> None:
        """Say ``text`` with the time elapsed, unless a line came less than ``interval`` ago."""
        now = self.clock()
        if now - self._last >= self.interval:
            self._last = now
            self.say(f"{text} ({minutes(now - self.started)})")
