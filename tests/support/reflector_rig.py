"""A running reflector, what its events replay to, and the means to wait until it agrees with the scripted API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from anka_kube.client import KubeClient
from anka_kube.reflector import Reflector
from anka_kube.resource import Resource
from anka_kube.store import EventType, Store
from anka_kube.unstructured import Unstructured, raw_resource
from support.manual_clock import ManualClock
from support.scripted_api import ScriptedApi

Key = tuple[str, str]


def parse(data: dict[str, Any]) -> Unstructured:
    if data.get("spec") == "unparsable":
        raise ValueError("spec: not a mapping")
    return Unstructured.parse(data)


plain = raw_resource("example.com", "v1", "things", "Thing", namespaced=True)
THINGS = Resource(plain.group, plain.version, plain.plural, plain.kind, True, parse, Unstructured.dump)


class Rig:
    """A store, what its events replay to, and the means to wait for agreement with the API."""

    def __init__(self, api: ScriptedApi) -> None:
        self.api = api
        self.store = Store(THINGS)
        self.events: list[tuple[EventType, str, str]] = []
        self.replayed: dict[Key, str] = {}
        self.store.subscribe(self._replay)
        self.stirred = asyncio.Event()
        self.store.subscribe(lambda *_: self.stirred.set())
        api.listeners.append(self.stirred.set)
        self.reflector: Reflector[Unstructured]

    def _replay(self, type_: EventType, old: Unstructured | None, new: Unstructured | None) -> None:
        obj = new or old
        assert obj is not None
        key = (obj.metadata.namespace or "", obj.metadata.name)
        assert (old is None) is (type_ == "ADDED")
        assert (new is None) is (type_ == "DELETED")
        assert self.replayed.get(key) == (old.metadata.resource_version if old else None)
        if new is None:
            del self.replayed[key]
        else:
            assert old is None or old.metadata.uid == new.metadata.uid
            self.replayed[key] = new.metadata.resource_version or ""
        self.events.append((type_, obj.metadata.name, obj.metadata.uid or ""))

    def cached(self) -> dict[Key, tuple[str, str]]:
        return {
            (obj.metadata.namespace or "", obj.metadata.name): (
                obj.metadata.uid or "",
                obj.metadata.resource_version or "",
            )
            for obj in self.store
        }

    async def agree(self) -> None:
        """Wait until the cache is what the API has, and check that the events replay to the same."""
        await self.until(lambda: self.cached() == self.api.versions("things"))
        assert self.replayed == {key: version for key, (_, version) in self.cached().items()}

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not true():
                self.stirred.clear()
                await self.stirred.wait()


@asynccontextmanager
async def running(api: ScriptedApi, client: KubeClient, clock: ManualClock, **options: Any) -> AsyncIterator[Rig]:
    rig = Rig(api)
    options = {"clock": clock, "sleep": clock.sleep, "chance": lambda: 0.5, **options}
    async with Reflector(client, rig.store, **options) as reflector:
        rig.reflector = reflector
        yield rig
