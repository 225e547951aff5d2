"""The cache of one kind of object: the events of the watch, merged with the results of our own writes.

No I/O. All methods are synchronous and run in the event loop's thread, so that a reader never sees half an update.

Rules of the merge (a resourceVersion is a comparable integer since Kubernetes 1.35; if one is not a number, the
server's latest answer counts):
- a watch event older than the cached object is about an earlier state: ignored;
- the result of our own write that is not newer than everything that the watch has delivered adds nothing: ignored, so
  a slow answer cannot bring back an object that was deleted meanwhile;
- an object that we deleted stays deleted, even if older events about it still arrive (tombstone by uid);
- a list replaces everything that was known before the list began; our own writes since then outlive an older list;
- an event that is not newer than the last list is decided by that list: a source that delivers the events of several
  objects in any order cannot bring back an object that the list no longer has.

Objects that are not ours (`Resource.is_ours`) stay out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Generic, Literal, TypeVar

from anka_kube import metrics
from anka_kube.resource import Key, M, Resource, key_of

log = logging.getLogger(__name__)

EventType = Literal["ADDED", "MODIFIED", "DELETED"]
Callback = Callable[[EventType, M | None, M | None], None]
"""(type, old, new): ADDED has no old, DELETED has no new. Called in order, at once, in the event loop."""

Index = Callable[[M], Iterable[str]]
T = TypeVar("T")


def is_newer(left: str | None, right: str | None) -> bool | None:
    """Whether resourceVersion `left` is newer than `right`; None if that cannot be known."""
    if not left or not right or not left.isdecimal() or not right.isdecimal():
        return None
    return int(left) > int(right)


class Store(Generic[M]):
    """Objects of one kind by (namespace, name), by uid and by declared indexes. All look-ups take constant time.

    Treat the objects as immutable: they are shared by all readers.
    """

    def __init__(self, resource: Resource[M], indexes: Mapping[str, Index[M]] | None = None) -> None:
        self.resource = resource
        self._objects: dict[Key, M] = {}
        self._uids: dict[str, M] = {}
        self._indexers = dict(indexes or {})
        self._indexes: dict[str, dict[str, dict[Key, M]]] = {name: {} for name in self._indexers}
        self._callbacks: list[Callback[M]] = []
        self._waiters: dict[Key | None, set[Callable[[], None]]] = {}
        self._listeners: set[Callable[[], None]] = set()
        self._own_writes: dict[Key, int] = {}
        self._tombstones: dict[str, int] = {}
        self._others: dict[Key, str] = {}
        """Objects that are not ours, with their uids."""
        self._moment = 0
        self._delivered = ""
        self._listed = ""
        self._size = metrics.CACHE_SIZE.labels(resource.label)

    # --- reading ---

    def get(self, name: str, namespace: str | None = None) -> M | None:
        return self._objects.get((namespace or "", name))

    def by_uid(self, uid: str) -> M | None:
        return self._uids.get(uid)

    def by_index(self, index: str, value: str) -> Sequence[M]:
        return tuple(self._indexes[index].get(value, {}).values())

    def index_values(self, index: str) -> Collection[str]:
        """The values under which there is any object."""
        return self._indexes[index].keys()

    def list(self, namespace: str | None = None) -> Sequence[M]:
        """All objects, or those of one namespace (which scans all: declare an index for a hot path)."""
        if namespace is None:
            return tuple(self._objects.values())
        return tuple(obj for (space, _), obj in self._objects.items() if space == namespace)

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[M]:
        return iter(self._objects.values())

    def subscribe(self, callback: Callback[M]) -> Callable[[], None]:
        """Call `callback` for every later change, and log its exceptions. Returns a function that ends this."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    async def wait_for(self, predicate: Callable[[Store[M]], T | None], seconds: float, *, key: Key | None = None) -> T:
        """Wait until `predicate` returns something true, and return that. Raises TimeoutError after `seconds`.

        It is evaluated now and after each change; with `key` only after changes of that object, which keeps many
        waiters cheap.
        """
        if result := predicate(self):
            return result
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def check() -> None:
            if future.done():
                return
            try:
                if value := predicate(self):
                    future.set_result(value)
            except Exception as error:  # belongs to the waiter, not to the code that changed the object
                future.set_exception(error)

        waiters = self._waiters.setdefault(key, set())
        waiters.add(check)
        try:
            async with asyncio.timeout(seconds):
                return await future
        finally:
            waiters.discard(check)
            if not waiters and self._waiters.get(key) is waiters:
                del self._waiters[key]

    # --- progress of the watch, apart from our own writes ---

    @property
    def delivered_version(self) -> str:
        """The newest resourceVersion that list or watch has delivered; empty before the first list."""
        return self._delivered

    def has_delivered(self, version: str) -> bool:
        """Whether list or watch has delivered everything up to `version`."""
        return is_newer(version, self._delivered) is False

    def has_pending_deletion(self, uid: str) -> bool:
        """Whether we deleted this object, and the watch has not delivered the deletion yet."""
        return uid in self._tombstones

    def passes_over(self, key: Key, uid: str | None = None) -> bool:
        """Whether the API has an object of this name (and uid) that is not ours."""
        other = self._others.get(key)
        return other is not None and uid in (None, other)

    async def wait_for_delivery(self, predicate: Callable[[], bool], seconds: float) -> bool:
        """Wait until `predicate()` is true, evaluated after each delivery of list or watch. False after `seconds`."""
        if predicate():
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def check() -> None:
            if not future.done() and predicate():
                future.set_result(None)

        self._listeners.add(check)
        try:
            await asyncio.wait({future}, timeout=seconds)
        finally:
            self._listeners.discard(check)
        return future.done()

    # --- our own writes ---

    def apply_written(self, obj: M) -> bool:
        """Merge the API's answer to our write, so that we read it at once. False: the cache has a newer state.

        Only for objects that match the reflector's selectors; others would stay until the next list.
        """
        key = key_of(obj)
        uid = obj.metadata.uid or ""
        version = obj.metadata.resource_version
        current = self._objects.get(key)
        if uid in self._tombstones or not self.resource.is_ours(obj):
            return False
        reference = self._delivered if current is None else current.metadata.resource_version
        if is_newer(version, reference) is False:
            return False
        self._own_writes[key] = self._tick()
        self._put(key, obj)
        return True

    def apply_deleted(self, obj: M) -> bool:
        """Our own delete is done: the object no longer exists (it is not finalizing). False: it is not in the cache."""
        key = key_of(obj)
        current = self._objects.get(key)
        uid = obj.metadata.uid or ""
        if current is None or (current.metadata.uid or "") != uid:
            return False
        if uid:
            self._tombstones[uid] = self._tick()
        self._remove(key)
        return True

    # --- events of the reflector ---

    def begin_list(self) -> int:
        """Call immediately before requesting a list, and pass the result to `replace`."""
        return self._tick()

    def replace(self, items: Iterable[M], version: str, begun: int, keep: Collection[str] = ()) -> None:
        """Make the cache equal to a consistent list and report the changes, deletions first.

        `keep`: uids of listed objects that could not be parsed; their cached state stays.
        """
        listed: dict[Key, M] = {}
        self._tombstones = {uid: moment for uid, moment in self._tombstones.items() if moment > begun}
        self._others.clear()
        for obj in items:
            if not self.resource.is_ours(obj):
                self._others[key_of(obj)] = obj.metadata.uid or ""
            elif (obj.metadata.uid or "") not in self._tombstones:
                listed[key_of(obj)] = obj
        protected = {key for key, moment in self._own_writes.items() if moment > begun}
        for key, old in tuple(self._objects.items()):
            if key in listed or (old.metadata.uid and old.metadata.uid in keep):
                continue
            if key in protected and is_newer(old.metadata.resource_version, version) is not False:
                continue
            self._remove(key)
        for key, obj in listed.items():
            old_or_none = self._objects.get(key)
            if (
                key in protected
                and old_or_none is not None
                and is_newer(obj.metadata.resource_version, old_or_none.metadata.resource_version) is not True
            ):
                continue
            self._put(key, obj)
        self._own_writes = {key: moment for key, moment in self._own_writes.items() if moment > begun}
        self._delivered = self._listed = version
        self._notify_listeners()

    def has_version(self, key: Key, version: str) -> bool:
        """Whether the cached object has exactly this version: the event of our own write need not be parsed."""
        current = self._objects.get(key)
        return current is not None and bool(version) and current.metadata.resource_version == version

    def observe(self, obj: M) -> None:
        """An ADDED or MODIFIED event of the watch."""
        key = key_of(obj)
        current = self._objects.get(key)
        version = obj.metadata.resource_version
        self.advance(version)
        if (obj.metadata.uid or "") in self._tombstones or is_newer(version, self._listed) is False:
            return
        if current is not None and is_newer(version, current.metadata.resource_version) is False:
            return
        if not self.resource.is_ours(obj):
            self._others[key] = obj.metadata.uid or ""
            if current is not None:
                # Same name, other object: ours must have been deleted before.
                self._remove(key)
            return
        self._own_writes.pop(key, None)
        self._put(key, obj)

    def observe_deleted(self, key: Key, uid: str, version: str | None) -> None:
        """A DELETED event of the watch. It needs no parsed object: one that cannot be parsed can still be removed."""
        self._tombstones.pop(uid, None)
        if self.passes_over(key, uid):
            del self._others[key]
        self.advance(version)
        current = self._objects.get(key)
        if current is None or (current.metadata.uid or "") != uid:
            return
        if is_newer(current.metadata.resource_version, version):
            # Only possible if the object left our selector and our own later write brought it back.
            return
        self._remove(key)

    def advance(self, version: str | None) -> None:
        """The watch has delivered everything up to this resourceVersion (events and bookmarks)."""
        if version and is_newer(version, self._delivered) is not False:
            self._delivered = version
        self._notify_listeners()

    # --- inside ---

    def _notify_listeners(self) -> None:
        for check in tuple(self._listeners):
            check()

    def _tick(self) -> int:
        self._moment += 1
        return self._moment

    def _put(self, key: Key, obj: M) -> None:
        old = self._objects.get(key)
        if old is not None and old.metadata.uid != obj.metadata.uid:
            # Same name, other object: subscribers that rely on deletions must see the deletion of the first one.
            self._remove(key, keep_written=True)
            old = None
        if (
            old is not None
            and obj.metadata.resource_version
            and old.metadata.resource_version == obj.metadata.resource_version
        ):
            return
        if old is not None:
            self._unindex(key, old)
        self._objects[key] = obj
        if obj.metadata.uid:
            self._uids[obj.metadata.uid] = obj
        for name, indexer in self._indexers.items():
            for value in self._values(name, indexer, obj):
                self._indexes[name].setdefault(value, {})[key] = obj
        self._notify("ADDED" if old is None else "MODIFIED", key, old, obj)

    def _remove(self, key: Key, *, keep_written: bool = False) -> None:
        old = self._objects.pop(key)
        if not keep_written:
            self._own_writes.pop(key, None)
        if old.metadata.uid:
            self._uids.pop(old.metadata.uid, None)
        self._unindex(key, old)
        self._notify("DELETED", key, old, None)

    def _unindex(self, key: Key, obj: M) -> None:
        for name, indexer in self._indexers.items():
            index = self._indexes[name]
            for value in self._values(name, indexer, obj):
                bucket = index.get(value)
                if bucket is not None:
                    bucket.pop(key, None)
                    if not bucket:
                        del index[value]

    def _values(self, name: str, indexer: Index[M], obj: M) -> Sequence[str]:
        try:
            return tuple(indexer(obj))
        except Exception:  # one object must not affect the others
            metrics.CALLBACK_ERRORS.labels(self.resource.label).inc()
            log.exception("index %s failed for %s %s", name, self.resource.label, key_of(obj))
            return ()

    def _notify(self, type_: EventType, key: Key, old: M | None, new: M | None) -> None:
        self._size.set(len(self._objects))
        for callback in tuple(self._callbacks):
            try:
                callback(type_, old, new)
            except Exception:  # a bug in a callback must neither end the watch nor affect other callbacks
                metrics.CALLBACK_ERRORS.labels(self.resource.label).inc()
                log.exception("callback failed for %s of %s %s", type_, self.resource.label, key)
        for check in (*self._waiters.get(key, ()), *self._waiters.get(None, ())):
            check()
