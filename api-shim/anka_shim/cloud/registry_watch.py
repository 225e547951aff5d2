"""Whether the registry answers and how full its disk is, looked up in the background: no request waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from anka_crds.registry.client import RegistryClient
from anka_crds.registry.errors import RegistryError
from anka_crds.registry.models import RegistryDisk

log = logging.getLogger(__name__)

RUNNING = "Running"
FAILED = "FAIL"
"""The two words that the exporter knows (legacy-clients section 1.6)."""

NO_REGISTRY = "the API shim was started without --registry-url"

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
    """`status` is what the last look found; FAIL without a registry, and before the first look. `disk` is None when the
    last look did not find it: `disk_trouble` says why."""

    def __init__(
        self,
        url: str | None,
        probe: Probe | None,
        look_at_disk: Callable[[], Awaitable[RegistryDisk]] | None = None,
        *,
        interval_seconds: float = 15.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.url = url or ""
        self.status = FAILED
        self.disk: RegistryDisk | None = None
        self.disk_trouble = "it was not asked yet" if probe else NO_REGISTRY
        self._probe = probe
        self._look_at_disk = look_at_disk
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
            await self._refresh_disk(trouble)
            await self._sleep(self._interval_seconds)

    async def _refresh_disk(self, trouble: str | None) -> None:
        """An old figure would tell people that there is room: without a new one there is none."""
        found: RegistryDisk | None = None
        if trouble is None and self._look_at_disk is not None:
            try:
                found = await self._look_at_disk()
            except RegistryError as error:
                trouble = str(error)
        self.disk, self.disk_trouble = found, trouble or ""


def watch_of(client: RegistryClient | None) -> RegistryWatch:
    """Of this registry; of none."""
    return RegistryWatch(None, None) if client is None else RegistryWatch(client.url, probe_of(client), client.disk)
