"""The rows of one kind, as JSON: encoded once after each change, and only while somebody looks."""

import itertools
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from anka_kube.resource import KubeModel
from anka_kube.store import EventType, Store
from anka_shim.portal.rows.row import Row
from anka_shim.portal.stream.ring import ChangeRing
from anka_shim.portal.stream.version import Version, format_version, parse_version, reaches

Ids = Callable[[Any, Any], Iterable[str]]
"""Of the rows that an object is shown in: as it was, and as it is; None before it was there, and when it is gone."""

MOST_AT_ONCE = 500
"""Rows that one flush encodes: other work comes in between."""


@dataclass(frozen=True, slots=True)
class Change:
    """Of one list: ids of rows, which may be gone."""

    version: str
    ids: frozenset[str]


class Feed:
    """`project`: the row of an id; None if there is none. `list_ids`: of all rows. `sources`: the stores whose versions
    are the list's; others may be followed whose changes are few, as of names. None for a row that is made from other
    things, and is sent whole to who comes. `replica`: this one's id.

    Call `flush` at intervals: what changes in between is one change."""

    def __init__(
        self,
        kind: str,
        *,
        project: Callable[[str], Row | None],
        list_ids: Callable[[], Iterable[str]],
        sources: Sequence[Store[Any]] = (),
        on_change: Callable[[], None] = lambda: None,
        replica: str = "",
    ) -> None:
        self.kind = kind
        self.replica = replica
        self._project = project
        self._list_ids = list_ids
        self._sources = sources
        self._on_change = on_change
        self._encoded: dict[str, bytes] = {}
        self._dirty: set[str] = set()
        self._changed_sources: set[int] = set()
        self._ring = ChangeRing()
        self._version: Version | None = None

    def follow(self, source: Store[Any], ids: Ids) -> Callable[[], None]:
        """Rows change when objects of this source do. Returns a function that ends this."""
        number = self._sources.index(source) if source in self._sources else None

        def on_event(_: EventType, old: Any, new: Any) -> None:
            if number is not None:
                self._changed_sources.add(number)
            self.mark(ids(old, new))

        return source.subscribe(on_event)

    @property
    def sources(self) -> Sequence[Store[Any]]:
        return self._sources

    def mark(self, ids: Iterable[str]) -> None:
        """These rows may have changed."""
        self._dirty.update(ids)
        if self._dirty:
            self._on_change()

    def mark_all(self) -> None:
        self.mark(self._list_ids())

    @property
    def is_ready(self) -> bool:
        """Whether what it is made from has been read."""
        return self._version is not None

    @property
    def version(self) -> str:
        """Of the last flush."""
        return format_version(self._version or (), self.replica)

    def flush(self) -> Change | None:
        """What has changed since the last time; None for nothing. Rows that look as before have not changed."""
        if self._version is None:
            self._begin()
            return None
        if not self._dirty:
            return None
        self._version = tuple(
            max(known, _number(source)) if number in self._changed_sources else known
            for number, (known, source) in enumerate(zip(self._version, self._sources, strict=True))
        )
        now = frozenset(itertools.islice(self._dirty, MOST_AT_ONCE))
        self._dirty -= now
        if self._dirty:
            self._on_change()
        else:
            self._changed_sources.clear()
        ids = frozenset(id_ for id_ in now if self._has_changed(id_))
        if not ids:
            return None
        self._ring.record(self._version, ids)
        return Change(self.version, ids)

    def row(self, id_: str) -> bytes | None:
        """None if it is gone. What is kept is what has been told: the next flush compares with it."""
        if id_ in self._encoded:
            return self._encoded[id_]
        encoded = self._encode(id_)
        if encoded is not None and id_ not in self._dirty:
            self._encoded[id_] = encoded
        return encoded

    def ids(self) -> Collection[str]:
        return tuple(self._list_ids())

    def since(self, version: str) -> frozenset[str] | None:
        """Ids of the rows that have changed since; None if all must be sent. A version that this replica has not seen
        yet is of another that is ahead: it would take back what the browser knows."""
        known = parse_version(version, len(self._sources)) if self._sources else None
        if known is None or not reaches(tuple(map(_number, self._sources)), known[0]):
            return None
        return self._ring.since(known[0], is_own=known[1] == self.replica)

    def forget(self) -> None:
        """Nobody looks any more: rows take no memory."""
        self._encoded.clear()

    def _begin(self) -> None:
        """Once all sources have been read: what was before is in the list."""
        if all(source.delivered_version for source in self._sources):
            listed = tuple(map(_number, self._sources))
            # Not that of the list: another replica, whose watch is quiet, learns only later that it is as far.
            self._version = tuple(
                min(number, max(map(_newest, source), default=0))
                for number, source in zip(listed, self._sources, strict=True)
            )
            self._ring.restart(self._version, listed)
            self._dirty.clear()
            self._changed_sources.clear()

    def _has_changed(self, id_: str) -> bool:
        if id_ not in self._encoded:
            # Nobody has seen it, or nobody knows what was seen.
            return True
        before, after = self._encoded.pop(id_), self._encode(id_)
        if after is not None:
            self._encoded[id_] = after
        return before != after

    def _encode(self, id_: str) -> bytes | None:
        row = self._project(id_)
        return None if row is None else orjson.dumps(row)


def _newest(obj: KubeModel) -> int:
    version = obj.metadata.resource_version or ""
    return int(version) if version.isdecimal() else 0


def _number(source: Store[Any]) -> int:
    """0 where the API has versions that cannot be compared."""
    version = source.delivered_version
    return int(version) if version.isdecimal() else 0
