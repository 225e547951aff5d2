"""The cache of one kind of object: what the watch told us, merged with what we wrote ourselves.

No I/O. All methods are synchronous and run in the event loop's thread, so that a reader never sees half an update.

Rules of the merge (a resourceVersion is a comparable integer since Kubernetes 1.35; where one is not a number, the
server's word counts):
- a watch event older than the cached object is late news about a state that we left already: ignored;
- the result of our own write, when no newer than what the watch has delivered in all, adds nothing: ignored, so a
  slow answer cannot bring back an object that was deleted meanwhile;
- an object that we deleted stays away even when older events about it still arrive (tombstone by uid);
- a list decides everything that was known before the list began; what we wrote since outlives an older list.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Generic, Literal, TypeVar

from anka_crds.kube import metrics
from anka_crds.kube.resource import Key, M, Resource, key_of

log = logging.getLogger(__name__)

EventType = Literal["ADDED", "MODIFIED", "DELETED"]
Callback = Callable[[EventType, M | None, M | None], None]
"""(type, old, new): ADDED has no old, DELETED has no new. Called in order, at once, in the event loop."""

Index = Callable[[M], Iterable[str]]
T = TypeVar("T")


def newer(left: str | None, right: str | None) -> bool | None:
    """Whether resourceVersion `left` is newer than `right`; None when that cannot be known."""
    if not left or not right or not left.isdecimal() or not right.isdecimal():
        return None
    return int(left) > int(right)


class Store(Generic[M]):
    """Objects of one kind by (namespace, name), by uid and by declared indexes; all look-ups take constant time.

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
        self._written: dict[Key, int] = {}
        self._tombstones: dict[str, int] = {}
        self._moment = 0
        self._seen = ""
        self._size = metrics.CACHE_SIZE.labels(resource.label)

    # --- reading ---

    def get(self, name: str, namespace: str | None = None) -> M | None:
        return self._objects.get((namespace or "", name))

    def by_uid(self, uid: str) -> M | None:
        return self._uids.get(uid)

    def by_index(self, index: str, value: str) -> Sequence[M]:
        return tuple(self._indexes[index].get(value, {}).values())

    def list(self, namespace: str | None = None) -> Sequence[M]:
        """All objects, or those of one namespace (that takes a scan; declare an index where it is hot)."""
        if namespace is None:
            return tuple(self._objects.values())
        return tuple(obj for (space, _), obj in self._objects.items() if space == namespace)

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[M]:
        return iter(self._objects.values())

    def subscribe(self, callback: Callback[M]) -> Callable[[], None]:
        """Call `callback` for every later change; returns how to stop that. Its exceptions are logged, not raised."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    async def wait_for(self, predicate: Callable[[Store[M]], T | None], seconds: float, *, key: Key | None = None) -> T:
        """Wait until `predicate` gives something true, and return that. Raises TimeoutError after `seconds`.

        It is evaluated now and after each change; with `key` only after changes of that object, which is what
        keeps many waiters cheap.
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
            except Exception as error:  # belongs to whoever waits, not to the one who changed the object
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

    # --- how far the watch is, apart from our own writes ---

    @property
    def seen(self) -> str:
        """The newest resourceVersion that list and watch have delivered; empty before the first list."""
        return self._seen

    def reached(self, version: str) -> bool:
        """Whether list and watch have delivered everything up to `version`."""
        return newer(version, self._seen) is False

    def awaits_deletion(self, uid: str) -> bool:
        """Whether we deleted this object, and the watch has not said so yet."""
        return uid in self._tombstones

    async def delivered(self, true: Callable[[], bool], seconds: float) -> bool:
        """Wait until `true()`, which is looked at whenever list or watch have delivered something. False when it was
        not so within `seconds`."""
        if true():
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def check() -> None:
            if not future.done() and true():
                future.set_result(None)

        self._listeners.add(check)
        try:
            await asyncio.wait({future}, timeout=seconds)
        finally:
            self._listeners.discard(check)
        return future.done()

    # --- our own writes ---

    def apply_written(self, obj: M) -> bool:
        """Merge what the API answered to our write, so that we read it at once. False: the cache knew better.

        Only for objects that the reflector's selectors match; others would stay until the next list.
        """
        key = key_of(obj)
        uid = obj.metadata.uid or ""
        version = obj.metadata.resource_version
        current = self._objects.get(key)
        if uid in self._tombstones:
            return False
        reference = self._seen if current is None else current.metadata.resource_version
        if newer(version, reference) is False:
            return False
        self._written[key] = self._tick()
        self._put(key, obj)
        return True

    def apply_deleted(self, obj: M) -> bool:
        """Our own delete is done: the object is gone (not merely finalizing). False: it was gone already."""
        key = key_of(obj)
        current = self._objects.get(key)
        uid = obj.metadata.uid or ""
        if current is None or (current.metadata.uid or "") != uid:
            return False
        if uid:
            self._tombstones[uid] = self._tick()
        self._remove(key)
        return True

    # --- what the reflector learned ---

    def begin_list(self) -> int:
        """Call right before asking the API for a list; hand the result to `replace`."""
        return self._tick()

    def replace(self, items: Iterable[M], version: str, begun: int, keep: Collection[str] = ()) -> None:
        """Make the cache equal to a consistent list and tell what changed: deletions first.

        `keep`: uids that were in the list but could not be parsed; what we had of them stays.
        """
        listed: dict[Key, M] = {}
        self._tombstones = {uid: moment for uid, moment in self._tombstones.items() if moment > begun}
        for obj in items:
            if (obj.metadata.uid or "") not in self._tombstones:
                listed[key_of(obj)] = obj
        protected = {key for key, moment in self._written.items() if moment > begun}
        for key, old in tuple(self._objects.items()):
            if key in listed or (old.metadata.uid and old.metadata.uid in keep):
                continue
            if key in protected and newer(old.metadata.resource_version, version) is not False:
                continue
            self._remove(key)
        for key, obj in listed.items():
            old_or_none = self._objects.get(key)
            if (
                key in protected
                and old_or_none is not None
                and newer(obj.metadata.resource_version, old_or_none.metadata.resource_version) is not True
            ):
                continue
            self._put(key, obj)
        self._written = {key: moment for key, moment in self._written.items() if moment > begun}
        self._seen = version
        self._listen()

    def holds(self, key: Key, version: str) -> bool:
        """Whether the cached object is of this very version: news of our own write, which need not be read again."""
        current = self._objects.get(key)
        return current is not None and bool(version) and current.metadata.resource_version == version

    def observe(self, obj: M) -> None:
        """An ADDED or MODIFIED event of the watch."""
        key = key_of(obj)
        current = self._objects.get(key)
        version = obj.metadata.resource_version
        self.advance(version)
        if (obj.metadata.uid or "") in self._tombstones:
            return
        if current is not None and newer(version, current.metadata.resource_version) is False:
            return
        self._written.pop(key, None)
        self._put(key, obj)

    def observe_deleted(self, key: Key, uid: str, version: str | None) -> None:
        """A DELETED event of the watch. It needs no parsed object, so one that cannot be parsed can still go."""
        self._tombstones.pop(uid, None)
        self.advance(version)
        current = self._objects.get(key)
        if current is None or (current.metadata.uid or "") != uid:
            return
        if newer(current.metadata.resource_version, version):
            # Only possible when the object left our selector and our own later write brought it back.
            return
        self._remove(key)

    def advance(self, version: str | None) -> None:
        """The watch has delivered everything up to this resourceVersion (events and bookmarks)."""
        if version and newer(version, self._seen) is not False:
            self._seen = version
        self._listen()

    # --- inside ---

    def _listen(self) -> None:
        for check in tuple(self._listeners):
            check()

    def _tick(self) -> int:
        self._moment += 1
        return self._moment

    def _put(self, key: Key, obj: M) -> None:
        old = self._objects.get(key)
        if old is not None and old.metadata.uid != obj.metadata.uid:
            # Same name, other object: whoever counts on deletions must see the first one go.
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
        self._tell("ADDED" if old is None else "MODIFIED", key, old, obj)

    def _remove(self, key: Key, *, keep_written: bool = False) -> None:
        old = self._objects.pop(key)
        if not keep_written:
            self._written.pop(key, None)
        if old.metadata.uid:
            self._uids.pop(old.metadata.uid, None)
        self._unindex(key, old)
        self._tell("DELETED", key, old, None)

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
        except Exception:  # one odd object must not stop the others
            metrics.CALLBACK_ERRORS.labels(self.resource.label).inc()
            log.exception("index %s failed for %s %s", name, self.resource.label, key_of(obj))
            return ()

    def _tell(self, type_: EventType, key: Key, old: M | None, new: M | None) -> None:
        self._size.set(len(self._objects))
        for callback in tuple(self._callbacks):
            try:
                callback(type_, old, new)
            except Exception:  # a callback's bug must neither end the watch nor starve the other callbacks
                metrics.CALLBACK_ERRORS.labels(self.resource.label).inc()
                log.exception("callback failed for %s of %s %s", type_, self.resource.label, key)
        for check in (*self._waiters.get(key, ()), *self._waiters.get(None, ())):
            check()
