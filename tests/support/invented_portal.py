"""The portal with invented rows, in a thread of its own: for tests of pages that need no cluster."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from anka_dev.portal.serve import CLOUD, LOGGED_IN, SESSION, SOCKETS, STALE, make_app, make_hello, make_ping, send

PATIENCE_SECONDS = 60.0


class InventedPortal:
    """`send` and `change` reach every tab that is open; a change also those that come later."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._app = web.Application()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, message: dict[str, Any]) -> None:
        self._do(send(self._app, message))

    def change(self, kind: str, *rows: dict[str, Any], remove: tuple[str, ...] = ()) -> None:
        for row in rows:
            self._app[CLOUD].put(kind, row)
        for id_ in remove:
            del self._app[CLOUD].rows[kind][id_]
        change = {"version": "2", "upsert": list(rows), "remove": list(remove)}
        self.send({"type": "delta", "changes": {kind: change}})

    def set_stale(self, **seconds: float) -> None:
        """How far kinds are behind, until it is set again."""
        self._app[STALE].clear()
        self._app[STALE].update(seconds)
        self.send(make_ping(self._app))

    def end_logins(self) -> None:
        """Cookies count no more; streams that are open go on."""
        self._loop.call_soon_threadsafe(self._app[LOGGED_IN].clear)

    def say_hello(self, version: str = "0.1.0", rights: list[str] | None = None) -> None:
        self._app[SESSION]["rights"] = rights
        self.send(make_hello(self._app, (), version))

    def rows(self, kind: str) -> list[dict[str, Any]]:
        return list(self._app[CLOUD].rows[kind].values())

    def tabs(self) -> int:
        sockets = self._app[SOCKETS]
        return len(sockets)

    async def _serve(self, options: dict[str, Any]) -> web.AppRunner:
        self._app = make_app(**options)
        runner = web.AppRunner(self._app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        return runner

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    @contextmanager
    def serving(self, options: dict[str, Any]) -> Iterator[None]:
        runner = self._do(self._serve(options))
        try:
            yield
        finally:
            self._do(runner.cleanup())


@contextmanager
def invented_portal(**options: Any) -> Iterator[InventedPortal]:
    """`options`: of anka_dev.portal.serve.make_app."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    portal = InventedPortal(loop)
    try:
        with portal.serving(options):
            yield portal
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_SECONDS)
        loop.close()
