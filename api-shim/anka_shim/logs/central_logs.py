"""Central logs belong to the registry: they are listed and read there, and pass through."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError
from anka_registry.models import RegistryLog
from anka_shim.failure import Failure
from anka_shim.store.registry_watch import NO_REGISTRY

MAX_STREAMS = 32
"""Logs that are followed at a time, by all clients of this replica: each holds a connection to the registry."""
STREAM_SECONDS = 3600.0
"""After this a stream ends, and whoever still wants it asks again: with credentials that are checked again."""
ARCHIVE_BYTES = 4 << 30


class CentralLogs:
    """Every method raises Failure if there is no registry, or if it fails. `namespace`: where REST makes instances,
    for their ids."""

    def __init__(self, registry: RegistryClient | None, namespace: str) -> None:
        self._registry = registry
        self.namespace = namespace
        self._streams = 0
        self._ending = asyncio.Event()

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

    @asynccontextmanager
    async def live(self, log: RegistryLog, last_bytes: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """The last bytes of a log and what is added to it, until the client goes, an hour has passed, or this process
        stops. Raises Failure if too many are being followed."""
        registry = self._require_registry()
        if self._streams >= MAX_STREAMS:
            raise Failure(f"{MAX_STREAMS} logs are being followed: end one of them", code=503, retry_after=30)
        self._streams += 1
        try:
            async with registry.log_stream(log.service, log.machine_name, last_bytes=last_bytes) as chunks:
                stream = self._until_the_end(chunks)
                async with contextlib.aclosing(stream):
                    yield stream
        finally:
            self._streams -= 1

    @asynccontextmanager
    async def archive(self, log: RegistryLog) -> AsyncIterator[AsyncIterator[bytes]]:
        """All of a log, as tar.gz; a failure in between is a RegistryError."""
        async with self._require_registry().log_archive(log.service, log.machine_name) as chunks:
            yield _limit(ARCHIVE_BYTES, chunks)

    def end_streams(self) -> None:
        """This process is about to stop: it would otherwise wait for those who follow a log."""
        self._ending.set()

    async def _until_the_end(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        end = asyncio.get_running_loop().time() + STREAM_SECONDS
        ending = asyncio.create_task(self._ending.wait())
        try:
            while True:
                following = asyncio.create_task(_next(chunks))
                try:
                    left = end - asyncio.get_running_loop().time()
                    await asyncio.wait({following, ending}, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
                    chunk = following.result() if following.done() else None
                finally:
                    following.cancel()
                    await asyncio.gather(following, return_exceptions=True)
                if chunk is None:
                    return
                yield chunk
        finally:
            ending.cancel()

    def _require_registry(self) -> RegistryClient:
        if self._registry is None:
            raise Failure(f"the logs are not known: {NO_REGISTRY}")
        return self._registry


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    with contextlib.suppress(StopAsyncIteration):
        return await anext(chunks)
    return None


async def _limit(left: int, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A registry that never stops sending must not fill the client's disk."""
    async for chunk in chunks:
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return
