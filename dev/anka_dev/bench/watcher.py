"""When objects were made and when something became true of them, as one watch tells it, with little work for each
event."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from anka_kube.client import KubeClient
from anka_kube.lines import LineSplitter
from anka_kube.resource import Resource, Selection
from localkube.errors import DevError

_CHECK_SECONDS = 1.0

Milestone = Callable[[dict[str, Any]], bool]
"""Whether an object, as the API sends it, is that far."""

Check = Callable[[], None]
"""Raises DevError when one of those who should do it lives no more."""


class Watcher:
    """`made`, and `times` for each milestone: name of the object to time on the monotonic performance clock."""

    def __init__(self, milestones: Mapping[str, Milestone]) -> None:
        self.made: dict[str, float] = {}
        self.times: dict[str, dict[str, float]] = {name: {} for name in milestones}
        self._milestones = dict(milestones)
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def following(
        self, client: KubeClient, resource: Resource[Any], namespace: str | None = None
    ) -> AsyncIterator[None]:
        """What happens while the block lasts."""
        page = await client.list_page(resource, Selection(namespace), limit=1)
        self._task = asyncio.create_task(self._follow(client, resource, namespace, page.resource_version))
        try:
            yield
        finally:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def until(self, milestone: str, count: int, seconds: float, check: Check) -> None:
        """Return once so many objects are that far. DevError after `seconds`, or from `check`, which is called now and
        then to see whether those still live who should do it."""
        reached = self.times[milestone]
        deadline = time.monotonic() + seconds
        while len(reached) < count:
            self._more.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), min(_CHECK_SECONDS, seconds))
                continue
            if self._task is not None and self._task.done():
                self._task.result()
            check()
            if time.monotonic() > deadline:
                raise DevError(f"{len(reached)} of {count} were {milestone} within {seconds:g} s")

    async def _follow(self, client: KubeClient, resource: Resource[Any], namespace: str | None, version: str) -> None:
        """Until cancelled; raises ApiError, and DevError when events may have been missed."""
        while True:
            lines = LineSplitter()
            # Ended by the server, as it does now and then, it goes on where it was.
            async with client.watch(
                resource, Selection(namespace), resource_version=version, timeout_seconds=3600
            ) as chunks:
                async for chunk in chunks:
                    now = time.perf_counter()
                    for line in lines.feed(chunk):
                        event = orjson.loads(line)
                        if event["type"] == "ERROR":
                            raise DevError(f"the watch missed events: {event['object'].get('message')}")
                        self.take(event, now)
                        version = event["object"]["metadata"]["resourceVersion"]

    def take(self, event: dict[str, Any], now: float) -> None:
        """One event of the watch."""
        if event["type"] not in ("ADDED", "MODIFIED"):
            return
        obj = event["object"]
        name = obj["metadata"]["name"]
        self.made.setdefault(name, now)
        for milestone, times in self.times.items():
            if name not in times and self._milestones[milestone](obj):
                times[name] = now
                self._more.set()
