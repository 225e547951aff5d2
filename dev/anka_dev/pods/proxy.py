"""What kube-proxy does: connections to a Service reach one of its ready pods, each the next one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from anka_dev.pods.network import Address

log = logging.getLogger(__name__)

_CHUNK_BYTES = 65_536
_START_SECONDS = 10.0


@dataclass
class _Front:
    """One listening address; ``behind`` is replaced as a whole."""

    server: asyncio.Server
    behind: Sequence[Address]
    turn: int = 0
    open: set[asyncio.Task[None]] = field(default_factory=set)


class Proxy:
    """Forwards TCP in a thread of its own; a context manager. A connection to a Service without ready pods is closed
    at once; one whose pod is gone fails as it would in a cluster: nothing is tried again behind the client's back."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="service proxy", daemon=True)
        self._fronts: dict[Address, _Front] = {}

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_START_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def serve(self, routes: Mapping[Address, Sequence[Address]]) -> None:
        """From now on these are forwarded, and no others. Returns once all of them listen. OSError if one can't."""
        asyncio.run_coroutine_threadsafe(self._serve(routes), self._loop).result(_START_SECONDS)

    async def _serve(self, routes: Mapping[Address, Sequence[Address]]) -> None:
        for address in self._fronts.keys() - routes.keys():
            await self._close(self._fronts.pop(address))
        for address, behind in routes.items():
            if front := self._fronts.get(address):
                front.behind = behind
            else:
                self._fronts[address] = await self._listen(address, behind)

    async def _listen(self, address: Address, behind: Sequence[Address]) -> _Front:
        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            front.open.add(task)
            try:
                await _forward(reader, writer, front)
            except asyncio.CancelledError:
                # By _close alone. asyncio would report a cancelled handler as an error of its own.
                pass
            finally:
                front.open.discard(task)

        front = _Front(await asyncio.start_server(accepted, *address), behind)
        return front

    async def _close(self, front: _Front) -> None:
        front.server.close()
        # For a task that is to begin.
        front.behind = ()
        for task in front.open:
            task.cancel()
        await asyncio.gather(*front.open, return_exceptions=True)

    async def _end(self) -> None:
        await self._serve({})


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, front: _Front) -> None:
    """Until both sides have said all."""
    with contextlib.closing(writer):
        if not front.behind:
            return
        front.turn += 1
        target = front.behind[front.turn % len(front.behind)]
        try:
            back_reader, back_writer = await asyncio.open_connection(*target)
        except OSError as error:
            log.info("no connection to a pod", extra={"pod": f"{target[0]}:{target[1]}", "why": str(error)})
            return
        with contextlib.closing(back_writer):
            await asyncio.gather(_pump(reader, back_writer), _pump(back_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction to its end; the other may go on."""
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
