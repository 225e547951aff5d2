"""Central logs are the registry's: they are listed and read there, and pass through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anka_crds.registry.client import RegistryClient
from anka_crds.registry.errors import RegistryError
from anka_crds.registry.models import RegistryLog
from anka_shim.cloud.registry_watch import NO_REGISTRY
from anka_shim.translate.failure import Failure


class CentralLogs:
    """Every method raises Failure when there is no registry, or it does not do it."""

    def __init__(self, registry: RegistryClient | None) -> None:
        self._registry = registry

    async def all(self) -> list[RegistryLog]:
        try:
            return await self._known().logs()
        except RegistryError as error:
            raise Failure(f"the logs are not known: {error}") from error

    @asynccontextmanager
    async def content(self, log: RegistryLog, last_bytes: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """At most the last bytes of it, as they come; what goes wrong while they do is RegistryError."""
        async with self._known().log_content(log.service, log.machine_name, last_bytes=last_bytes) as chunks:
            yield _at_most(last_bytes, chunks)

    def _known(self) -> RegistryClient:
        if self._registry is None:
            raise Failure(f"the logs are not known: {NO_REGISTRY}")
        return self._registry


async def _at_most(left: int, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A registry that does not stop must not fill anybody's disk."""
    async for chunk in chunks:
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return
