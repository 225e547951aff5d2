"""Prints the steps of the demo, with the time since it began."""

from __future__ import annotations

import sys
import time


class Printer:
    """One line for each step, on stdout, flushed for pipes."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._last = ""

    @property
    def seconds(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._started

    def say(self, line: str) -> None:
        """Print the line, unless it is the same as the last one."""
        if line != self._last:
            self._last = line
            print(f"[{self.seconds:6.1f} s] {line}", flush=True)

    def plain(self, text: str = "") -> None:
        print(text, flush=True)
        sys.stdout.flush()
