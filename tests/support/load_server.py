"""A small HTTP server that can stall, fail and hang up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

OK = b'{"status":"OK"}'


class Server:
    """Answers every request with `answer(request number, request)`; None hangs up."""

    def __init__(self, answer: Callable[[int, bytes], tuple[int, bytes] | None]) -> None:
        self.requests: list[bytes] = []
        self.stall = 0.0
        self.chunked = False
        self._answer = answer
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.create_task(self._client(reader, writer)))

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")), 0)
                request = head + await reader.readexactly(length)
                self.requests.append(request)
                if self.stall and len(self.requests) == 1:
                    await asyncio.sleep(self.stall)
                made = self._answer(len(self.requests), request)
                if made is None:
                    break
                status, body = made
                if self.chunked:
                    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
                    writer.write(b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n%b" % (status, framed))
                else:
                    writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()
