"""A tab of a browser that has the portal open: what it is told, and the lists that it has by now."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PATIENCE_SECONDS = 60.0


class PortalTab:
    """Reads as the page does. `lists`: rows by kind and id."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.lists: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, str] = {}
        self.messages: list[dict[str, Any]] = []
        self.end: dict[str, Any] | None = None

    async def open(self, *kinds: str, since: Mapping[str, str] | None = None) -> None:
        await self.socket.send(json.dumps({"type": "open", "kinds": kinds, "since": since or {}}))

    async def read(self) -> dict[str, Any]:
        """The next message, whose rows are in the lists then."""
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_SECONDS))
        self.messages.append(message)
        match message["type"]:
            case "snapshot":
                self.lists[message["kind"]] = {row["id"]: row for row in message["rows"]}
                self.versions[message["kind"]] = message["version"]
            case "delta":
                for kind, change in message["changes"].items():
                    rows = self.lists.setdefault(kind, {})
                    rows.update({row["id"]: row for row in change["upsert"]})
                    for id_ in change["remove"]:
                        rows.pop(id_, None)
                    self.versions[kind] = change["version"]
            case "end":
                self.end = message
        return message

    async def until(self, is_enough: Callable[[PortalTab], bool]) -> None:
        """Read on until the lists are so. AssertionError after PATIENCE_SECONDS, or at the end of the stream."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_enough(self):
                try:
                    await self.read()
                except ConnectionClosed:
                    raise AssertionError(f"the stream has ended: {self.end}") from None

    async def until_type(self, type_: str) -> dict[str, Any]:
        """The next message of this type."""
        while (message := await self.read())["type"] != type_:
            pass
        return message

    async def until_end(self) -> dict[str, Any]:
        """How it ends."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    await self.read()
        assert self.end is not None, self.messages[-3:]
        return self.end

    def row(self, kind: str, id_: str) -> dict[str, Any]:
        row: dict[str, Any] = self.lists[kind][id_]
        return row


@contextlib.asynccontextmanager
async def portal_tab(
    address: tuple[str, int], *, headers: Mapping[str, str] | None = None, **options: Any
) -> AsyncIterator[PortalTab]:
    url = f"ws://{address[0]}:{address[1]}/portal/v1/stream"
    async with connect(
        url, additional_headers=dict(headers or {}), max_size=None, proxy=None, open_timeout=PATIENCE_SECONDS, **options
    ) as socket:
        yield PortalTab(socket)
