"""How many requests one client address may send."""

import math
import time

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

UNLIMITED = ("/livez", "/readyz", "/metrics", "/peer/")
"""Paths for Kubernetes, Prometheus and the other replicas, which must not be refused."""


class RateLimit:
    """For each client address, in this process. `rule` is such as "50/second" or "1000 per 5 minutes"."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self._item = parse_rule(rule)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def retry_after(self, path: str, client: str) -> int | None:
        """Count this request. None if it may pass, else the seconds after which the client may try again."""
        if path.startswith(UNLIMITED) or await self._limiter.hit(self._item, client):
            return None
        window = await self._limiter.get_window_stats(self._item, client)
        return max(1, math.ceil(window.reset_time - time.time()))


def parse_rule(rule: str) -> RateLimitItem:
    """Raises a ValueError that says what a rule looks like."""
    try:
        items = parse_many(rule)
    except ValueError:
        items = []
    if len(items) != 1 or items[0].amount < 1 or items[0].get_expiry() < 1:
        raise ValueError("must be a number and a time, such as 50/second or 1000 per 5 minutes")
    return items[0]
