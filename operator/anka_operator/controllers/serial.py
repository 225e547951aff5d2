"""One object of one kind is judged once at a time, from the newest that is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic
from weakref import WeakValueDictionary

from anka_crds.kube.resource import Key, M, key_of
from anka_crds.kube.store import Store, newer


def freshest(store: Store[M], obj: M) -> M:
    """The cached object when it is newer than `obj`, else `obj`: kopf and we watch the same kind, and either may be
    the first to know."""
    cached = store.get(obj.metadata.name or "", obj.metadata.namespace)
    if cached is None or cached.metadata.uid != obj.metadata.uid:
        return obj
    return cached if newer(cached.metadata.resource_version, obj.metadata.resource_version) else obj


class Serial(Generic[M]):
    """Locks by object. With the writer's results in the store at once, the second in line sees what the first did."""

    def __init__(self, store: Store[M]) -> None:
        self._store = store
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, obj: M) -> AsyncIterator[M]:
        """Hands out the newest version of `obj` when it is our turn."""
        lock = self._locks.setdefault(key_of(obj), asyncio.Lock())
        async with lock:
            yield freshest(self._store, obj)
