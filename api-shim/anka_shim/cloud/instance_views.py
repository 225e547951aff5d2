"""Instances as answers: each encoded once for each resourceVersion, the list once for each change.

CI plugins poll the list of all instances every few seconds: encoding a thousand of them each time would be nearly
all the work of this process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from anka_crds.api import AnkaInstance
from anka_crds.kube.store import EventType
from anka_crds.process.clock import Clock
from anka_shim.cloud.caches import Stores
from anka_shim.translate.instance import envelope_of, id_of, vm
from anka_shim.translate.once import SLOT


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An instance that is gone, shown as Terminated until `until` (monotonic seconds)."""

    instance: AnkaInstance
    gone_at: datetime
    until: float


@dataclass(frozen=True, slots=True)
class Encoded:
    """JSON of one instance: as an element of the list, and alone."""

    element: bytes
    alone: bytes


class InstanceViews:
    """Answers about instances. Subscribes to the store; everything else is worked out when it is asked for."""

    def __init__(self, stores: Stores, clock: Clock, *, registry: str, terminated_seconds: float) -> None:
        self._stores = stores
        self._clock = clock
        self._registry = registry
        self._terminated_seconds = terminated_seconds
        self._encoded: dict[str, Encoded] = {}
        self._gone: dict[str, Tombstone] = {}
        self._gone_slots: dict[str, set[str]] = {}
        self._list: bytes | None = None
        stores.instances.subscribe(self._on_event)

    def all(self) -> bytes:
        """The list: living instances, and those that are gone since less than a minute."""
        self._forget_old()
        if self._list is None:
            living = [self._of(obj).element for obj in self._stores.instances]
            gone = [self._of(tombstone.instance, tombstone.gone_at).element for tombstone in self._gone.values()]
            self._list = b"[" + b",".join([*living, *gone]) + b"]"
        return self._list

    def one(self, id_: str) -> bytes | None:
        """The inner `vm` object, or None for an unknown id."""
        obj = self._stores.instance(id_)
        if obj is not None:
            return self._of(obj).alone
        tombstone = self.tombstone(id_)
        return None if tombstone is None else self._of(tombstone.instance, tombstone.gone_at).alone

    def tombstone(self, id_: str) -> Tombstone | None:
        """Of an instance that is gone, while it is still shown."""
        self._forget_old()
        return self._gone.get(id_)

    def gone_of(self, slot: str) -> Sequence[AnkaInstance]:
        """Instances of a slot (translate.once) that are gone, while they are still shown."""
        self._forget_old()
        return [self._gone[id_].instance for id_ in self._gone_slots.get(slot, ())]

    def _of(self, obj: AnkaInstance, gone_at: datetime | None = None) -> Encoded:
        key = _key(obj)
        encoded = self._encoded.get(key)
        if encoded is None:
            inner = vm(obj, self._registry, gone_at)
            encoded = Encoded(orjson.dumps(envelope_of(inner)), orjson.dumps(inner))
            self._encoded[key] = encoded
        return encoded

    def _on_event(self, type_: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        self._list = None
        for obj in (old, new):
            if obj is not None:
                self._encoded.pop(_key(obj), None)
        if new is not None:
            self._forget(id_of(new))
        elif old is not None and self._terminated_seconds > 0:
            until = self._clock.monotonic() + self._terminated_seconds
            self._forget(id_of(old))
            self._gone[id_of(old)] = Tombstone(old, self._clock.now(), until)
            if (slot := old.metadata.annotations.get(SLOT)) is not None:
                self._gone_slots.setdefault(slot, set()).add(id_of(old))

    def _forget_old(self) -> None:
        """The oldest come first: all are kept equally long."""
        now = self._clock.monotonic()
        while self._gone:
            id_, tombstone = next(iter(self._gone.items()))
            if tombstone.until > now:
                return
            self._forget(id_)
            self._list = None

    def _forget(self, id_: str) -> None:
        tombstone = self._gone.pop(id_, None)
        if tombstone is not None:
            self._encoded.pop(_key(tombstone.instance), None)
            slot = tombstone.instance.metadata.annotations.get(SLOT)
            if slot in self._gone_slots:
                self._gone_slots[slot].discard(id_)
                if not self._gone_slots[slot]:
                    del self._gone_slots[slot]


def _key(obj: AnkaInstance) -> str:
    """By uid: two namespaces may have an object of the same name, and then of the same id."""
    return obj.metadata.uid or id_of(obj)
