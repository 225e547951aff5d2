"""Records that are kept for a while: by a standby, which may have to send them; by the leader, until they are sent.

Both are bounded in bytes: the oldest make room.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from anka_operator.event_log.record import EventRecord

MOST_BYTES = 8 << 20
"""Some 15,000 records: an hour of 4 starts a second."""


class RecordMemory:
    """The last records, whoever leads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._records: deque[EventRecord] = deque()
        self._bytes = 0
        self._forgotten = 0.0

    def add(self, record: EventRecord) -> None:
        self._records.append(record)
        self._bytes += record.size
        while self._bytes > self._most and len(self._records) > 1:
            oldest = self._records.popleft()
            self._bytes -= oldest.size
            self._forgotten = max(self._forgotten, oldest.noticed)

    def find_since(self, moment: float) -> tuple[list[EventRecord], bool]:
        """Those that were noticed at this moment or later, in the order of their time, each object's in its own; and
        whether all of them are still here."""
        found = sorted((one for one in self._records if one.noticed >= moment), key=lambda one: one.time)
        return found, self._forgotten < moment


class RecordBuffer:
    """What one sink has not taken yet. `on_lost` is called with each record that had to make room."""

    def __init__(self, mark: float, on_lost: Callable[[EventRecord], None], most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._on_lost = on_lost
        self._records: deque[EventRecord] = deque()
        self._bytes = 0
        self._in_flight = 0
        self._start = self._settled = mark
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._records)

    @property
    def mark(self) -> float:
        """What was noticed before this moment is taken or lost. Never before the mark that it began with: what is older
        is only repeated."""
        return max(self._start, min((one.noticed for one in self._records), default=self._settled))

    def add(self, record: EventRecord) -> None:
        self._records.append(record)
        self._bytes += record.size
        while self._bytes > self._most and len(self._records) > self._in_flight + 1:
            # What is in flight may have arrived: the next one goes.
            lost = self._records[self._in_flight]
            del self._records[self._in_flight]
            self._bytes -= lost.size
            self._on_lost(lost)
        self._filled.set()

    async def take(self, most: int) -> list[EventRecord]:
        """The oldest, at least one. They stay here until `settle`, and are given again if that is not called."""
        await self._filled.wait()
        found = [record for record, _ in zip(self._records, range(most), strict=False)]
        self._in_flight = len(found)
        return found

    def settle(self) -> None:
        """What was taken last has arrived."""
        for _ in range(self._in_flight):
            record = self._records.popleft()
            self._bytes -= record.size
            self._settled = max(self._settled, record.noticed)
        self._in_flight = 0
        if not self._records:
            self._filled.clear()
