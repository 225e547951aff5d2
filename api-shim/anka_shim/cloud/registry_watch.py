"""Whether the registry answers, looked up in the background: no request waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from anka_crds.registry.client import RegistryClient
from anka_crds.registry.errors import RegistryError

log = logging.getLogger(__name__)

RUNNING = "Running"
FAILED = "FAIL"
"""The two words that the exporter knows (legacy-clients section 1.6)."""

Probe = Callable[[], Awaitable[str | None]]
"""None when the registry answers, else why it does not."""


def probe_of(client: RegistryClient) -> Probe:
    async def probe() -> str | None:
        try:
            await client.status()
        except RegistryError as error:
            return str(error)
        return None

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
                log.warning(trouble, extra={"registry": self.url})
            self._trouble = trouble
            self.status = FAILED if trouble else RUNNING
            await self._sleep(self._interval_seconds)
