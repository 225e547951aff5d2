"""Splits the bytes of a watch stream into lines. Pure."""

DEFAULT_LIMIT = 8 * 1024 * 1024
"""Bytes. etcd refuses objects over 1.5 MiB by default, so a longer line is not an object."""


class LineTooLong(ValueError):
    """A line exceeds the limit: this is not a watch stream."""


class LineSplitter:
    """Takes chunks, returns complete lines without their newline. An incomplete last line is never returned.

    The work is linear in the number of bytes, even if a line arrives in many chunks.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes, without empty ones. Raises LineTooLong."""
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

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise LineTooLong(f"a line of the watch stream is longer than {self._limit} bytes")
        self._parts.append(piece)
