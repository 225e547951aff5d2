"""How many requests one client may send."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

FREE = ("/livez", "/readyz", "/metrics", "/peer/")
"""Of Kubernetes, Prometheus and the other replicas: they must not be refused."""


class RateLimit:
    """For each client address, in this process. `rule` is such as "50/second" or "1000 per 5 minutes"."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self._item = parsed(rule)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def refused(self, path: str, client: str) -> int | None:
        """Counts this request. None when it may pass, else after how many seconds the client may try again."""
        if path.startswith(FREE) or await self._limiter.hit(self._item, client):
            return None
        window = await self._limiter.get_window_stats(self._item, client)
        return max(1, math.ceil(window.reset_time - time.time()))


def parsed(rule: str) -> RateLimitItem:
    """Raises ValueError that says how a rule looks."""
    try:
        items = parse_many(rule)
    except ValueError:
        items = []
    if len(items) != 1 or items[0].amount < 1 or items[0].get_expiry() < 1:
        raise ValueError("must be a number and a time, such as 50/second or 1000 per 5 minutes")
    return items[0]
