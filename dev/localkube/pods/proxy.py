"""Forwards connections to a Service to its ready pods in turn, as kube-proxy does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from localkube.pods.addresses import Address

log = logging.getLogger(__name__)

_CHUNK_BYTES = 65_536
_START_SECONDS = 10.0


@dataclass
class _Listener:
    """One listening address; ``targets`` is replaced as a whole."""

    server: asyncio.Server
    targets: Sequence[Address]
    turn: int = 0
    open: set[asyncio.Task[None]] = field(default_factory=set)


class Proxy:
    """Forwards TCP in a thread of its own; a context manager. A connection to a Service without ready pods is closed
    at once; one to a pod that has ended fails as in a cluster: the proxy does not retry."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="service proxy", daemon=True)
        self._listeners: dict[Address, _Listener] = {}

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_START_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def serve(self, routes: Mapping[Address, Sequence[Address]]) -> None:
        """Forward these addresses and no others. Returns once all of them listen; OSError when one cannot."""
        asyncio.run_coroutine_threadsafe(self._serve(routes), self._loop).result(_START_SECONDS)

    async def _serve(self, routes: Mapping[Address, Sequence[Address]]) -> None:
        for address in self._listeners.keys() - routes.keys():
            await self._close(self._listeners.pop(address))
        for address, targets in routes.items():
            if listener := self._listeners.get(address):
                listener.targets = targets
            else:
                self._listeners[address] = await self._listen(address, targets)

    async def _listen(self, address: Address, targets: Sequence[Address]) -> _Listener:
        async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            listener.open.add(task)
            try:
                await _forward(reader, writer, listener)
            except asyncio.CancelledError:
                # Only _close cancels. asyncio would log a cancelled handler as an error.
                pass
            finally:
                listener.open.discard(task)

        listener = _Listener(await asyncio.start_server(on_connect, *address), targets)
        return listener

    async def _close(self, listener: _Listener) -> None:
        listener.server.close()
        # For a task that has not begun.
        listener.targets = ()
        for task in listener.open:
            task.cancel()
        await asyncio.gather(*listener.open, return_exceptions=True)

    async def _end(self) -> None:
        await self._serve({})


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener: _Listener) -> None:
    """Copy in both directions until both sides have closed."""
    with contextlib.closing(writer):
        if not listener.targets:
            return
        listener.turn += 1
        target = listener.targets[listener.turn % len(listener.targets)]
        try:
            back_reader, back_writer = await asyncio.open_connection(*target)
        except OSError as error:
            log.info("no connection to a pod", extra={"pod": f"{target[0]}:{target[1]}", "why": str(error)})
            return
        with contextlib.closing(back_writer):
            await asyncio.gather(_pump(reader, back_writer), _pump(back_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction to its end; the other may go on."""
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
