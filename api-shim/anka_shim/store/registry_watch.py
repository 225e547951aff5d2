"""Whether the registry answers and how full its disk is, read in the background: no request waits for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError
from anka_registry.models import RegistryDisk
from anka_runtime.background import Background
from anka_runtime.clock import Sleep

log = logging.getLogger(__name__)

RegistryStatus = Literal["Running", "FAIL"]
RUNNING: RegistryStatus = "Running"
FAILED: RegistryStatus = "FAIL"
"""The two words that the exporter knows (docs/reference/legacy-api.md#status)."""

NO_REGISTRY = "the API shim was started without --registry-url"

Probe = Callable[[], Awaitable[str | None]]
"""None if the registry answers, else why it does not."""


def make_probe(client: RegistryClient) -> Probe:
    async def probe() -> str | None:
        try:
            await client.status()
        except RegistryError as error:
            return str(error)
        return None

    return probe


class RegistryWatch(Background):
    """`url` is the one that clients see. `status` is what the last probe found; FAIL without a registry, and before the
    first probe. `disk` is None when it could not be read: `disk_error` says why."""

    def __init__(
        self,
        url: str | None,
        probe: Probe | None,
        read_disk: Callable[[], Awaitable[RegistryDisk]] | None = None,
        *,
        interval_seconds: float = 15.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.url = url or ""
        self.status: RegistryStatus = FAILED
        self.disk: RegistryDisk | None = None
        self.disk_error = "it was not asked yet" if probe else NO_REGISTRY
        self._probe = probe
        self._read_disk = read_disk
        self._interval_seconds = interval_seconds
        self._sleep = sleep
        self._error: str | None = None

    @property
    def task_name(self) -> str:
        return "registry"

    async def run(self) -> None:
        """Probe at intervals, until cancelled. Changes are logged, once."""
        while self._probe is not None:
            error = await self._probe()
            if error is None and self.status != RUNNING:
                log.info("the registry answers", extra={"registry": self.url})
            elif error is not None and error != self._error:
                log.warning(error, extra={"registry": self.url})
            self._error = error
            self.status = FAILED if error else RUNNING
            await self._refresh_disk(error)
            await self._sleep(self._interval_seconds)

    async def _refresh_disk(self, error: str | None) -> None:
        """An old figure could promise space that is no longer there: without a new one there is none."""
        found: RegistryDisk | None = None
        if error is None and self._read_disk is not None:
            try:
                found = await self._read_disk()
            except RegistryError as failure:
                error = str(failure)
        self.disk, self.disk_error = found, error or ""


def watch_registry(client: RegistryClient | None, url: str | None) -> RegistryWatch:
    """Of the registry that `client` reads, or of none. `url`: as Macs and clients know it."""
    return RegistryWatch(None, None) if client is None else RegistryWatch(url, make_probe(client), client.disk)
