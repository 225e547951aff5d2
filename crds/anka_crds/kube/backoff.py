"""When to try again: the one place that decides it. Pure; randomness is handed in."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from anka_crds.kube.errors import ApiError, ServerError, TooManyRequests, Unreachable

Random = Callable[[], float]
"""Uniform in [0, 1)."""

system_random: Random = random.SystemRandom().random


@dataclass(frozen=True)
class Backoff:
    """Capped exponential delays in seconds, the upper half of each drawn at random so that clients spread out."""

    base: float = 0.2
    cap: float = 5.0
    factor: float = 2.0

    def delay(self, attempt: int, chance: float, retry_after: float | None = None) -> float:
        """Seconds before try number `attempt` + 1 (0 = the first failure).

        What the server asked for in Retry-After is a lower bound, never shortened by the cap: it knows its load.
        """
        # Exponents beyond 64 reach any cap; unbounded ones overflow a float after days of outage.
        ceiling = min(self.cap, self.base * self.factor ** min(attempt, 64))
        jittered = ceiling * (0.5 + 0.5 * chance)
        return jittered if retry_after is None else retry_after + min(jittered, self.base)


class Delays:
    """The growing delays of one loop; reset when it makes progress. Never ends."""

    def __init__(self, backoff: Backoff, chance: Random) -> None:
        self._backoff = backoff
        self._chance = chance
        self.attempt = 0

    def reset(self) -> None:
        self.attempt = 0

    def next(self, retry_after: float | None = None) -> float:
        """Seconds to wait now; the following one is longer."""
        delay = self._backoff.delay(self.attempt, self._chance(), retry_after)
        self.attempt += 1
        return delay


def may_retry(error: ApiError, *, read: bool) -> bool:
    """Whether the same request may be sent again without asking the caller.

    Reads: whenever the trouble may pass. Writes: only when the first one was surely not applied.
    """
    if isinstance(error, Unreachable | ServerError | TooManyRequests):
        return read or error.surely_not_applied
    return False
