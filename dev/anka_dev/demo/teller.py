"""What the demo says, with the time since it began."""

from __future__ import annotations

import sys
import time


class Teller:
    """One line for each step, on stdout: alive also where there is no terminal."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._last = ""

    @property
    def elapsed(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._started

    def say(self, line: str) -> None:
        """Say this, unless it was the last thing said."""
        if line != self._last:
            self._last = line
            print(f"[{self.elapsed:6.1f} s] {line}", flush=True)

    def plain(self, text: str = "") -> None:
        print(text, flush=True)
        sys.stdout.flush()
