"""Lines that the registry has not taken yet. Their bytes are limited: the oldest lines are dropped."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from anka_registry import metrics

BUFFER_BYTES = 4 << 20
LINE_BYTES = 16 << 10
"""A longer line is cut, so that it does not fill the buffer."""
CUT = "… (cut)"


@dataclass(frozen=True)
class Batch:
    """Lines of one service, oldest first. `numbers` identify them in the buffer."""

    service: str
    numbers: tuple[int, ...]
    content: str


class LineBuffer:
    """Thread-safe: any thread may log."""

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
                self._remove_line(next(iter(self._lines)))
                self._dropped += 1
                metrics.LOG_LINES.labels("dropped").inc()
            metrics.LOG_BUFFER_BYTES.set(self._bytes)

    def batch(self, most_bytes: int) -> Batch | None:
        """Lines of the service that has the oldest line: at least one. They stay in the buffer until removed."""
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

    def remove(self, batch: Batch) -> None:
        with self._lock:
            for number in batch.numbers:
                self._remove_line(number)
            metrics.LOG_BUFFER_BYTES.set(self._bytes)
        metrics.LOG_LINES.labels("sent").inc(len(batch.numbers))

    def clear(self) -> None:
        """Drop all lines, uncounted."""
        with self._lock:
            self._lines.clear()
            self._bytes = 0
            metrics.LOG_BUFFER_BYTES.set(0)

    def take_drop_count(self) -> int:
        """Number of lines dropped since the last call."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def _remove_line(self, number: int) -> None:
        # A line that is being sent may have been dropped meanwhile.
        _, _, size = self._lines.pop(number, ("", "", 0))
        self._bytes -= size
