"""What the `anka` command can fail with."""

from __future__ import annotations

# 3 and 18 are known from real output; the vendor publishes no list, the others are ours.
GENERIC = 1
USAGE = 2
NOT_FOUND = 3
BUSY = 16
EXISTS = 18
LIMIT = 27
NO_SPACE = 28
LICENSE = 30
REGISTRY = 40
CONNECTION_LOST = 125


class SimulatedAnkaError(Exception):
    """A failure as the command reports it: an error code (also the exit status) and one line of text."""

    def __init__(self, message: str, code: int = GENERIC) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def not_found(ref: str) -> SimulatedAnkaError:
    return SimulatedAnkaError(f"{ref}: not found", NOT_FOUND)
