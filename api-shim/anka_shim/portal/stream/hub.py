"""Tells all tabs what has changed: gathered for a moment, encoded once for all who see the same."""

import asyncio
import logging
from collections.abc import Hashable, Mapping
from contextlib import suppress
from datetime import UTC
from typing import Protocol

from anka_crds.api import AnkaNode
from anka_kube.store import Store
from anka_runtime.background import Background
from anka_runtime.clock import Clock, Sleep
from anka_shim import metrics
from anka_shim.portal.rows.cloud import CLOUD_ID
from anka_shim.portal.stream import messages
from anka_shim.portal.stream.feed import Change, Feed
from anka_shim.portal.stream.freshness import Freshness
from anka_shim.portal.stream.heartbeats import ShownHeartbeats
from anka_shim.portal.visibility import Visibility
from anka_shim.times import rfc3339

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.25
"""People see no more than four changes a second."""
PING_SECONDS = 5.0


class Audience(Protocol):
    """A tab that has all lists, and gets their changes."""

    @property
    def kinds(self) -> tuple[str, ...]: ...

    @property
    def visibility(self) -> Visibility: ...

    def deliver(self, message: bytes) -> None: ...


class StreamHub(Background):
    """`feeds`: by kind. Set `on_change` of each to `wake`."""

    def __init__(
        self,
        nodes: Store[AnkaNode],
        heartbeats: ShownHeartbeats,
        freshness: Freshness,
        clock: Clock,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.feeds: Mapping[str, Feed] = {}
        self.live: set[Audience] = set()
        self._nodes = nodes
        self._heartbeats = heartbeats
        self._freshness = freshness
        self._clock = clock
        self._sleep = sleep
        self._changed = asyncio.Event()

    @property
    def task_name(self) -> str:
        return "portal"

    def wake(self) -> None:
        """Something has changed, or somebody has come."""
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._flush_always(), name="portal flush")
            group.create_task(self._ping_always(), name="portal ping")

    def flush(self) -> None:
        with metrics.PORTAL_FLUSH_SECONDS.time():
            changes = {kind: change for kind, feed in self.feeds.items() if (change := feed.flush()) is not None}
            if changes and self.live:
                self._tell(changes)

    def now(self) -> str:
        return rfc3339(self._clock.now().astimezone(UTC).replace(microsecond=0))

    def stale(self) -> dict[str, float]:
        return self._freshness.stale({kind: feed.sources for kind, feed in self.feeds.items()})

    def fragment(self, kind: str, change: Change, visibility: Visibility) -> bytes:
        """Of a delta, for those who see this."""
        feed = self.feeds[kind]
        rows: list[bytes] = []
        removed: list[str] = []
        for id_ in sorted(change.ids):
            row = feed.row(id_)
            if row is None:
                removed.append(id_)
            elif visibility.shows(kind, id_):
                rows.append(row)
        return messages.change(change.version, rows, removed)

    def leave(self, tab: Audience) -> None:
        self.live.discard(tab)
        if not self.live:
            for feed in self.feeds.values():
                feed.forget()

    def _tell(self, changes: Mapping[str, Change]) -> None:
        fragments: dict[tuple[str, Hashable], bytes] = {}
        made: dict[tuple[tuple[str, ...], Hashable], bytes | None] = {}
        for tab in tuple(self.live):
            key = (tab.kinds, tab.visibility.key)
            if key not in made:
                parts: dict[str, bytes] = {}
                for kind in tab.kinds:
                    if kind in changes:
                        one = (kind, tab.visibility.key)
                        if one not in fragments:
                            fragments[one] = self.fragment(kind, changes[kind], tab.visibility)
                        parts[kind] = fragments[one]
                made[key] = messages.delta(parts) if parts else None
            message = made[key]
            if message is not None:
                tab.deliver(message)

    async def _flush_always(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._sleep(FLUSH_SECONDS)
            try:
                self.flush()
            except Exception:  # a bug in one row must not end the portal
                log.exception("a flush of the portal failed; it goes on")

    async def _ping_always(self) -> None:
        while True:
            await self._sleep(PING_SECONDS)
            self._freshness.look()
            if not self.live:
                continue
            message = messages.ping(self.now(), self.stale())
            for tab in tuple(self.live):
                tab.deliver(message)
            with suppress(KeyError):
                self.feeds["cloud"].mark((CLOUD_ID,))
            changed = await self._heartbeats.refresh([node.metadata.name for node in self._nodes])
            self.feeds["nodes"].mark(changed)
