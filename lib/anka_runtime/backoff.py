"""When to retry a request, and after which delay. Pure: randomness is an argument."""

import random
from collections.abc import Callable
from dataclasses import dataclass

Random = Callable[[], float]
"""Uniform in [0, 1)."""

system_random: Random = random.SystemRandom().random


@dataclass(frozen=True)
class Backoff:
    """Capped exponential delays in seconds, with jitter in the upper half of each, so that clients spread out."""

    base: float = 0.2
    cap: float = 5.0
    factor: float = 2.0

    def delay(self, attempt: int, chance: float, retry_after: float | None = None) -> float:
        """Seconds before retry number `attempt` + 1; `attempt` is 0 after the first failure. `chance` is in [0, 1).

        Retry-After of the server is a lower bound, which the cap does not shorten: the server knows its load.
        """
        # An exponent of 64 reaches any cap; an unbounded one overflows a float after days of outage.
        ceiling = min(self.cap, self.base * self.factor ** min(attempt, 64))
        jittered = ceiling * (0.5 + 0.5 * chance)
        return jittered if retry_after is None else retry_after + min(jittered, self.base)


@dataclass
class Delays:
    """The growing delays of one loop. `reset` after progress."""

    backoff: Backoff
    chance: Random
    attempt: int = 0

    def reset(self) -> None:
        self.attempt = 0

    def next(self, retry_after: float | None = None) -> float:
        """Seconds to wait now. The next delay is longer."""
        delay = self.backoff.delay(self.attempt, self.chance(), retry_after)
        self.attempt += 1
        return delay
