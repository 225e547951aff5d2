"""Whether the registry answers, looked up in the background: no request waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp

log = logging.getLogger(__name__)

RUNNING = "Running"
FAILED = "FAIL"
"""The two words that the exporter knows (legacy-clients section 1.6)."""

TIMEOUT_SECONDS = 5.0

Probe = Callable[[], Awaitable[str | None]]
"""None when the registry answers, else why it does not."""


def http_probe(session: aiohttp.ClientSession, url: str) -> Probe:
    """Asks GET /registry/status."""

    async def probe() -> str | None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        try:
            async with session.get(f"{url}/registry/status", timeout=timeout) as response:
                await response.read()
                return None if response.status == 200 else f"HTTP {response.status}"
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return str(error) or type(error).__name__

    return probe


class RegistryWatch:
    """`status` is what the last look found; FAIL without a registry, and before the first look."""

    def __init__(
        self,
        url: str | None,
        probe: Probe | None,
        *,
        interval_seconds: float = 15.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.url = url or ""
        self.status = FAILED
        self._probe = probe
        self._interval_seconds = interval_seconds
        self._sleep = sleep
        self._trouble: str | None = None

    async def run(self) -> None:
        """Look now and then, until cancelled. Changes are logged, once."""
        while self._probe is not None:
            trouble = await self._probe()
            if trouble is None and self.status != RUNNING:
                log.info("the registry answers", extra={"registry": self.url})
            elif trouble is not None and trouble != self._trouble:
                log.warning("the registry does not answer: %s", trouble, extra={"registry": self.url})
            self._trouble = trouble
            self.status = FAILED if trouble else RUNNING
            await self._sleep(self._interval_seconds)
