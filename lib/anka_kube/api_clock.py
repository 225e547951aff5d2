"""The time of the API: all processes write and judge times by it, so that none of them needs a clock that is right.

Each answer has a Date. It says, to a second and the time under way, how far the API's clock is from the time that has
passed on this machine; that a wall clock is wrong, or is set, then changes nothing.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from anka_runtime.clock import Clock, SystemClock


class ApiClock:
    """`own`: this machine's clock. Its time of day counts until the first answer, and while answers agree with it."""

    def __init__(self, own: Clock | None = None) -> None:
        self._own = own or SystemClock()
        self._offset: float | None = None
        """Time of the API minus our monotonic clock."""
        self._date = ("", 0.0)

    def now(self) -> datetime:
        if self._offset is None:
            return self._own.now()
        return datetime.fromtimestamp(self._offset + self._own.monotonic(), UTC)

    def monotonic(self) -> float:
        return self._own.monotonic()

    @property
    def ahead_seconds(self) -> float:
        """By how much this machine's time of day is ahead of the API's: 0 within what Date can show."""
        return (self._own.now() - self.now()).total_seconds()

    def learn(self, date: str | None, sent: float, received: float) -> None:
        """From the Date of an answer, and the monotonic times of the request and of the answer's headers."""
        if not date:
            return
        if date != self._date[0]:
            try:
                self._date = (date, parsedate_to_datetime(date).timestamp())
            except ValueError:
                return
        seconds = self._date[1]
        # Whole seconds, rounded down, at some moment between the two.
        earliest, latest = seconds - received, seconds + 1 - sent
        guess = self._own.now().timestamp() - self._own.monotonic() if self._offset is None else self._offset
        self._offset = min(max(guess, earliest), latest)
