"""When objects were made and when they got a node, as one watch tells it, with little work for each event."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from anka_crds.kube.client import KubeClient
from anka_crds.kube.lines import LineSplitter
from anka_crds.kube.resource import Resource
from anka_dev.errors import DevError

NodeOf = Callable[[dict[str, Any]], str | None]
"""The node of an object as the API sends it; None while it has none."""


class Watcher:
    """`made` and `bound`: name to time on the monotonic performance clock."""

    def __init__(self, node_of: NodeOf) -> None:
        self.made: dict[str, float] = {}
        self.bound: dict[str, float] = {}
        self._node_of = node_of
        self._more = asyncio.Event()

    @asynccontextmanager
    async def following(self, client: KubeClient, resource: Resource[Any], namespace: str) -> AsyncIterator[None]:
        """What happens while the block lasts."""
        page = await client.list_page(resource, namespace, limit=1)
        task = asyncio.create_task(self._follow(client, resource, namespace, page.resource_version))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def until_bound(self, count: int, seconds: float) -> None:
        """Return once so many are bound in all. DevError after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while len(self.bound) < count:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise DevError(f"{len(self.bound)} of {count} were bound within {seconds:g} s") from None

    async def _follow(self, client: KubeClient, resource: Resource[Any], namespace: str, version: str) -> None:
        lines = LineSplitter()
        watch = client.watch(resource, namespace, resource_version=version, timeout_seconds=3600)
        async with watch as chunks:
            async for chunk in chunks:
                now = time.perf_counter()
                for line in lines.feed(chunk):
                    self._take(orjson.loads(line), now)

    def _take(self, event: dict[str, Any], now: float) -> None:
        if event["type"] not in ("ADDED", "MODIFIED"):
            return
        obj = event["object"]
        name = obj["metadata"]["name"]
        self.made.setdefault(name, now)
        if name not in self.bound and self._node_of(obj) is not None:
            self.bound[name] = now
            self._more.set()
