"""Central logs belong to the registry: they are listed and read there, and pass through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError
from anka_registry.models import RegistryLog
from anka_shim.failure import Failure
from anka_shim.store.registry_watch import NO_REGISTRY


class CentralLogs:
    """Every method raises Failure if there is no registry, or if it fails. `namespace`: where REST makes instances,
    for their ids."""

    def __init__(self, registry: RegistryClient | None, namespace: str) -> None:
        self._registry = registry
        self.namespace = namespace

    async def all(self) -> list[RegistryLog]:
        try:
            return await self._require_registry().logs()
        except RegistryError as error:
            raise Failure(f"the logs are not known: {error}") from error

    @asynccontextmanager
    async def content(self, log: RegistryLog, last_bytes: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """At most the last bytes of a log, as they arrive; a failure in between is a RegistryError."""
        async with self._require_registry().log_content(log.service, log.machine_name, last_bytes=last_bytes) as chunks:
            yield _limit(last_bytes, chunks)

    def _require_registry(self) -> RegistryClient:
        if self._registry is None:
            raise Failure(f"the logs are not known: {NO_REGISTRY}")
        return self._registry


async def _limit(left: int, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A registry that never stops sending must not fill the client's disk."""
    async for chunk in chunks:
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return
