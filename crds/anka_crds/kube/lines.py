"""Splits the bytes of a watch stream into lines. Pure."""

from __future__ import annotations

DEFAULT_LIMIT = 8 * 1024 * 1024
"""Bytes. etcd refuses objects over 1.5 MiB by default, so a longer line is not an object but a fault."""


class LineTooLong(ValueError):
    """A line exceeded the limit: the stream is not what we think it is."""


class LineSplitter:
    """Feed chunks, get complete lines without their newline. A cut-off rest is never given out.

    Work is linear in the bytes even when one line comes in many chunks.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Complete lines so far; empty ones are left out. Raises LineTooLong."""
        *complete, rest = chunk.split(b"\n")
        lines = []
        for piece in complete:
            self._keep(piece)
            line = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            if line.strip():
                lines.append(line)
        if rest:
            self._keep(rest)
        return lines

    @property
    def pending(self) -> int:
        """Bytes of the line that is not complete yet."""
        return self._size

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise LineTooLong(f"a line of the watch stream is longer than {self._limit} bytes")
        self._parts.append(piece)
