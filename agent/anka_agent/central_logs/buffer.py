"""Lines that the registry has not taken yet: so many bytes of them, the oldest dropped when there are more."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from prometheus_client import Counter, Gauge

LINES = Counter("anka_agent_central_log_lines_total", "Lines for the central logs", ["outcome"])
BYTES = Gauge("anka_agent_central_log_buffer_bytes", "Bytes of lines that the registry has not taken yet")

BUFFER_BYTES = 4 << 20
LINE_BYTES = 16 << 10
"""A longer line is cut: one must not fill the buffer."""
CUT = "… (cut)"


@dataclass(frozen=True)
class Batch:
    """Lines of one service, oldest first. `numbers` tell the buffer which ones."""

    service: str
    numbers: tuple[int, ...]
    content: str


class Buffer:
    """Safe for all threads: whoever logs adds to it."""

    def __init__(self, most_bytes: int = BUFFER_BYTES) -> None:
        self._most = most_bytes
        self._lines: OrderedDict[int, tuple[str, str, int]] = OrderedDict()
        self._bytes = 0
        self._next = 0
        self._dropped = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, service: str, line: str) -> None:
        size = len(line.encode("utf-8", "replace"))
        if size > LINE_BYTES:
            line = line.encode("utf-8", "replace")[:LINE_BYTES].decode("utf-8", "ignore") + CUT
            size = len(line.encode("utf-8"))
        with self._lock:
            self._lines[self._next] = (service, line, size)
            self._next += 1
            self._bytes += size
            while self._bytes > self._most and len(self._lines) > 1:
                self._remove(next(iter(self._lines)))
                self._dropped += 1
                LINES.labels("dropped").inc()
            BYTES.set(self._bytes)

    def batch(self, most_bytes: int) -> Batch | None:
        """Lines of the service whose line is the oldest; they stay here until they are `sent`. At least one line."""
        with self._lock:
            service, size = "", 0
            numbers: list[int] = []
            lines: list[str] = []
            for number, (owner, line, length) in self._lines.items():
                if numbers and owner != service:
                    continue
                if numbers and size + length > most_bytes:
                    break
                service, size = owner, size + length
                numbers.append(number)
                lines.append(line)
        return Batch(service, tuple(numbers), "\n".join(lines) + "\n") if numbers else None

    def sent(self, batch: Batch) -> None:
        with self._lock:
            for number in batch.numbers:
                self._remove(number)
            BYTES.set(self._bytes)
        LINES.labels("sent").inc(len(batch.numbers))

    def clear(self) -> None:
        """Nobody wants them."""
        with self._lock:
            self._lines.clear()
            self._bytes = 0
            BYTES.set(0)

    def dropped(self) -> int:
        """Lines that were dropped since this was last asked."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def _remove(self, number: int) -> None:
        # One that is being sent may have been dropped meanwhile.
        _, _, size = self._lines.pop(number, ("", "", 0))
        self._bytes -= size
