"""Makes the load of a plan."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections import deque
from collections.abc import Iterator
from urllib.parse import urlsplit

from anka_dev.bench.load.connection import LoadConnection
from anka_dev.bench.load.plan import NAME, Plan, Result

_CONNECT_SECONDS = 10.0


class Generator:
    """Runs a plan; call `run` once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._parts = urlsplit(plan.url)
        self._tls = ssl.create_default_context(cafile=plan.ca_file or None) if self._parts.scheme == "https" else None
        self._requests = self._encode_requests()
        self._sent = 0
        self._answers = 0
        self._latencies: list[float] = []
        self._bytes = 0
        self._failed = 0
        self._failure = ""
        self._since: dict[LoadConnection, float] = {}
        self._idle: deque[LoadConnection] = deque()
        self._due: deque[float] = deque()
        self._until = 0.0
        self._begun = 0.0
        self._begun_cpu = 0.0
        self._last = 0.0
        self._finished = asyncio.Event()

    async def run(self) -> Result:
        connections = await asyncio.gather(*(self._connect() for _ in range(self._plan.connections)))
        self._begin()
        self._until = self._begun + self._plan.seconds if self._plan.seconds else float("inf")
        if self._plan.rate:
            await self._open_loop(connections)
        else:
            for connection in connections:
                self._next(connection)
        await self._finished.wait()
        cpu = time.process_time() - self._begun_cpu
        for connection in connections:
            connection.close()
        return Result(
            seconds=max(self._last - self._begun, 1e-9),
            latencies=self._latencies,
            answer_bytes=self._bytes,
            failed=self._failed,
            failure=self._failure,
            cpu_seconds=cpu,
        )

    async def _connect(self) -> LoadConnection:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: LoadConnection(self._on_answer),
                self._parts.hostname or "",
                self._parts.port or 80,
                ssl=self._tls,
            )
        return connection

    def _begin(self) -> None:
        self._begun = time.perf_counter()
        self._begun_cpu = time.process_time()

    async def _open_loop(self, connections: list[LoadConnection]) -> None:
        """Send every request when it is due; one without an idle connection waits, and its wait counts."""
        self._idle.extend(connections)
        for number in itertools.count():
            due = self._begun + number / self._plan.rate
            if due >= self._until or (self._plan.total and number >= self._plan.total):
                break
            delay = due - time.perf_counter()
            if delay > 0:
                await asyncio.sleep(delay)
            self._due.append(due)
            self._serve_due()
        self._until = 0.0
        self._end_if_done()

    def _serve_due(self) -> None:
        while self._due and self._idle:
            connection = self._idle.popleft()
            self._since[connection] = self._due.popleft()
            self._sent += 1
            connection.ask(next(self._requests))

    def _next(self, connection: LoadConnection) -> None:
        """The closed loop's next request on this connection."""
        now = time.perf_counter()
        if now >= self._until or (self._plan.total and self._sent >= self._plan.total + self._plan.warm_up):
            self._end_if_done()
            return
        self._since[connection] = now
        self._sent += 1
        connection.ask(next(self._requests))

    def _on_answer(self, connection: LoadConnection, status: int, length: int, head: bytes) -> None:
        now = time.perf_counter()
        since = self._since.pop(connection)
        self._answers += 1
        if self._answers <= self._plan.warm_up:
            if self._answers == self._plan.warm_up and not self._plan.rate:
                self._begin()
        elif 200 <= status < 300 and head.startswith(self._expects):
            self._latencies.append(now - since)
            self._bytes += length
        else:
            self._failed += 1
            self._failure = self._failure or f"HTTP {status}: {head.decode(errors='replace')}"
        self._last = now
        if not connection.usable:
            # A server may close; going on without one client would measure something else.
            self._until = 0.0
            self._due.clear()
            self._failure = self._failure or "the server closed a kept connection"
        if self._plan.rate:
            self._idle.append(connection)
            self._serve_due()
            self._end_if_done()
        else:
            self._next(connection)

    def _end_if_done(self) -> None:
        exhausted = self._until <= time.perf_counter() or not self._plan.rate
        if exhausted and not self._since and not self._due:
            self._finished.set()

    @property
    def _expects(self) -> bytes:
        return self._plan.expects.encode()

    def _encode_requests(self) -> Iterator[bytes]:
        """The bytes of one request after the other."""
        plan = self._plan
        names: Iterator[str] = itertools.cycle(plan.names or [""])
        head = "".join(f"{key}: {value}\r\n" for key, value in plan.headers.items())
        while True:
            name = next(names)
            body = plan.body.replace(NAME, name).encode()
            path = plan.path.replace(NAME, name)
            start = f"{plan.method} {path} HTTP/1.1\r\nHost: {self._parts.netloc}\r\n{head}"
            length = f"Content-Length: {len(body)}\r\n" if body or plan.method != "GET" else ""
            yield f"{start}{length}\r\n".encode() + body
