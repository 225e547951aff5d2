"""A controller that answers what a test tells it to, and keeps every byte that it was sent."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from clients.wire import Wire


@dataclass(frozen=True)
class Sent:
    """One request. `head`: request line and headers as they came, without the last empty line."""

    method: str
    target: str
    head: str
    body: bytes

    @property
    def headers(self) -> list[str]:
        return self.head.split("\r\n")[1:]

    @property
    def json(self) -> Any:
        """Jenkins' bodies are ISO-8859-1, all others ASCII."""
        return json.loads(self.body.decode("iso-8859-1"))


@dataclass(frozen=True)
class Scripted:
    """An answer; `body` None is an answer that never comes: the connection is dropped."""

    body: bytes | None
    code: int = 200


def ok(body: Any = None) -> Scripted:
    return Scripted(json.dumps({"status": "OK", "message": "", "body": body}).encode())


def fail(message: str, code: int = 200) -> Scripted:
    return Scripted(json.dumps({"status": "FAIL", "message": message}).encode(), code)


DROPPED = Scripted(None)


@dataclass
class ScriptedController:
    """`answers`: by method and path; a list is used up from the front, and its last element stays."""

    url: str = ""
    answers: dict[str, list[Scripted]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    connections: int = 0

    def on(self, request: str, *answers: Scripted) -> None:
        """`request`: such as "GET /api/v1/vm", or with its query."""
        self.answers[request] = list(answers)

    def requests(self) -> list[str]:
        return [f"{sent.method} {sent.target}" for sent in self.sent]

    def answer(self, sent: Sent) -> Scripted:
        self.sent.append(sent)
        whole = f"{sent.method} {sent.target}"
        queue = self.answers.get(whole) or self.answers.get(whole.partition("?")[0])
        if queue is None:
            return fail(f"not scripted: {whole}", 404)
        return queue.pop(0) if len(queue) > 1 else queue[0]


C = TypeVar("C", bound=ScriptedController)


@contextmanager
def listening(scripted: C) -> Iterator[C]:
    """It listens at its `url`, in threads of its own."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            scripted.connections += 1
            while (sent := _read(self.rfile.readline, self.rfile.read)) is not None:
                chosen = scripted.answer(sent)
                if chosen.body is None:
                    return
                head = f"HTTP/1.1 {chosen.code} X\r\nContent-Length: {len(chosen.body)}\r\n\r\n"
                self.wfile.write(head.encode() + chosen.body)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        scripted.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield scripted
        server.shutdown()
        thread.join()


def _read(line: Callable[[], bytes], read: Callable[[int], bytes]) -> Sent | None:
    lines: list[str] = []
    while (raw := line()) not in (b"\r\n", b""):
        lines.append(raw.decode("latin-1").rstrip("\r\n"))
    if not lines:
        return None
    length = next((int(text.split(":")[1]) for text in lines if text.lower().startswith("content-length:")), 0)
    method, target, _ = lines[0].split(" ")
    return Sent(method, target, "\r\n".join(lines), read(length) if length else b"")


class Relay(ScriptedController):
    """In front of a real server; loses the answers to the first `lost` requests of `method`, after they took effect."""

    def __init__(self, server: str, *, method: str = "POST", lost: int = 0) -> None:
        super().__init__()
        self._server = server
        self._method = method
        self._lost = lost

    def answer(self, sent: Sent) -> Scripted:
        self.sent.append(sent)
        wire = Wire(self._server, timeout=30)
        reply = wire.send(sent.method, sent.target, [_pair(line) for line in sent.headers], sent.body)
        wire.close()
        if sent.method == self._method and self._lost > 0:
            self._lost -= 1
            return DROPPED
        return Scripted(reply.raw, reply.code)


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name, value
