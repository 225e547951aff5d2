"""A client's time: its pauses can be shortened, its limits can't."""

from __future__ import annotations

import time


class Pace:
    """Pauses last `scale` of what the client asks for; the order of requests stays what it is."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self.waited = 0.0
        """Seconds that the client believes to have paused. Ages of its caches count in these."""

    def pause(self, seconds: float) -> None:
        self.waited += seconds
        self._sleep(seconds)

    def now(self) -> float:
        """Seconds, for time limits."""
        return time.monotonic()

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds * self._scale)


class Unhurried(Pace):
    """No time passes but that of pauses, and that at once: an hour's limit is reached without an hour."""

    def now(self) -> float:
        return self.waited

    def _sleep(self, seconds: float) -> None:
        pass
