"""Instances as answers: each encoded once for each resourceVersion, the list once for each change.

CI plugins poll the list of all instances every few seconds: encoding a thousand of them each time would be nearly
all the work of this process.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from anka_crds.api import AnkaInstance, AnkaTemplate, NodeGroup
from anka_kube.store import EventType
from anka_runtime.clock import Clock
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.annotations import SLOT
from anka_shim.http.answer import to_json
from anka_shim.store.caches import BY_OWNER, Stores
from anka_shim.vm.answer import element_answer, vm_answer

Named = AnkaTemplate | NodeGroup

CACHED_LISTS = 64
"""Most lists that are kept: one for each set of permission groups that somebody has."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An instance that is gone, shown as Terminated until `until` (monotonic seconds)."""

    instance: AnkaInstance
    gone_at: datetime
    until: float


@dataclass(frozen=True, slots=True)
class EncodedInstance:
    """JSON of one instance: as an element of the list, and alone."""

    element: bytes
    alone: bytes


class InstanceViews:
    """Answers about instances, as far as `rights` let the sender of the request see them.

    Subscribes to the store; all else happens when a request asks for it.
    """

    def __init__(
        self,
        stores: Stores,
        clock: Clock,
        *,
        registry: str,
        terminated_seconds: float,
        rights: ResourceRights | None = None,
    ) -> None:
        self._stores = stores
        self._rights = rights or ResourceRights(stores)
        self._clock = clock
        self._registry = registry
        self._terminated_seconds = terminated_seconds
        self._encoded: dict[str, EncodedInstance] = {}
        self._gone: dict[str, Tombstone] = {}
        self._gone_slots: dict[str, set[str]] = {}
        self._lists: dict[frozenset[str] | None, bytes] = {}
        """By the permission groups whose instances they have; None for all."""
        self._parts: dict[str, bytes] = {}
        """Of the lists, by permission group: without brackets. Who has many groups gets many of them, not each instance
        anew."""
        self._gone_of: dict[str, set[str]] = {}
        """Ids of those that are gone, by permission group."""
        stores.instances.subscribe(self._on_event)
        stores.groups.subscribe(self._on_named)
        stores.templates.subscribe(self._on_named)

    def all(self) -> bytes:
        """The list: living instances, and those that ended less than a minute ago."""
        self._drop_expired()
        member = self._rights.member()
        groups = None if member is None else member.groups
        known = self._lists.get(groups)
        if known is None:
            if len(self._lists) >= CACHED_LISTS:
                self._lists.clear()
            known = self._lists[groups] = self._encode_list(groups)
        return known

    def one(self, id_: str) -> bytes | None:
        """The inner `vm` object, or None for an unknown id."""
        obj = self._stores.instance(id_)
        if obj is not None:
            return self._encode(obj).alone if self._rights.owns(obj.spec.permission_group) else None
        tombstone = self.tombstone(id_)
        return None if tombstone is None else self._encode(tombstone.instance, tombstone.gone_at).alone

    def tombstone(self, id_: str) -> Tombstone | None:
        """Of an instance that is gone, while it is still shown."""
        self._drop_expired()
        found = self._gone.get(id_)
        return found if found is not None and self._rights.owns(found.instance.spec.permission_group) else None

    def find_gone(self, slot: str) -> Sequence[AnkaInstance]:
        """Instances of a slot that are gone, while they are still shown."""
        self._drop_expired()
        return [self._gone[id_].instance for id_ in self._gone_slots.get(slot, ())]

    def _encode_list(self, groups: frozenset[str] | None) -> bytes:
        if groups is None:
            elements = self._elements(self._stores.instances, self._gone.values())
        else:
            elements = [part for part in map(self._part, sorted(groups)) if part]
        return b"[" + b",".join(elements) + b"]"

    def _part(self, group: str) -> bytes:
        part = self._parts.get(group)
        if part is None:
            gone = (self._gone[id_] for id_ in sorted(self._gone_of.get(group, ())))
            part = b",".join(self._elements(self._stores.instances.by_index(BY_OWNER, group), gone))
            # Names of groups are the clients' own: what nobody has is not kept.
            if part:
                self._parts[group] = part
        return part

    def _elements(self, living: Iterable[AnkaInstance], gone: Iterable[Tombstone]) -> list[bytes]:
        elements = [self._encode(obj).element for obj in living]
        elements += [self._encode(tombstone.instance, tombstone.gone_at).element for tombstone in gone]
        return elements

    def _forget_lists(self, *changed: AnkaInstance | None) -> None:
        """Those that have these instances."""
        owners = {obj.spec.permission_group for obj in changed if obj is not None}
        for groups in [groups for groups in self._lists if groups is None or not owners.isdisjoint(groups)]:
            del self._lists[groups]
        for owner in owners:
            if owner is not None:
                self._parts.pop(owner, None)

    def _encode(self, obj: AnkaInstance, gone_at: datetime | None = None) -> EncodedInstance:
        key = _key(obj)
        encoded = self._encoded.get(key)
        if encoded is None:
            answer = vm_answer(obj, self._stores.id_of(obj), self._registry, gone_at, ids=self._stores)
            encoded = EncodedInstance(to_json(element_answer(answer)), to_json(answer))
            self._encoded[key] = encoded
        return encoded

    def _on_event(self, type_: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        self._forget_lists(old, new)
        for obj in (old, new):
            if obj is not None:
                self._encoded.pop(_key(obj), None)
        if new is not None:
            self._drop(self._stores.id_of(new))
        elif old is not None and self._terminated_seconds > 0:
            until = self._clock.monotonic() + self._terminated_seconds
            id_ = self._stores.id_of(old)
            self._drop(id_)
            self._gone[id_] = Tombstone(old, self._clock.now(), until)
            if (owner := old.spec.permission_group) is not None:
                self._gone_of.setdefault(owner, set()).add(id_)
            if (slot := old.metadata.annotations.get(SLOT)) is not None:
                self._gone_slots.setdefault(slot, set()).add(id_)

    def _on_named(self, _: EventType, old: Named | None, new: Named | None) -> None:
        """Instances may name a group or template that is new, gone, or has another name."""
        if old is None or new is None or _names(old) != _names(new):
            self._lists.clear()
            self._parts.clear()
            self._encoded.clear()

    def _drop_expired(self) -> None:
        """The oldest come first: all are kept equally long."""
        now = self._clock.monotonic()
        while self._gone:
            id_, tombstone = next(iter(self._gone.items()))
            if tombstone.until > now:
                return
            self._drop(id_)

    def _drop(self, id_: str) -> None:
        tombstone = self._gone.pop(id_, None)
        if tombstone is not None:
            # Its group may be another one than that of what has its id now.
            self._forget_lists(tombstone.instance)
            self._encoded.pop(_key(tombstone.instance), None)
            _discard(self._gone_slots, tombstone.instance.metadata.annotations.get(SLOT), id_)
            _discard(self._gone_of, tombstone.instance.spec.permission_group, id_)


def _discard(ids: dict[str, set[str]], key: str | None, id_: str) -> None:
    if key in ids:
        ids[key].discard(id_)
        if not ids[key]:
            del ids[key]


def _names(obj: Named) -> object:
    return obj.spec.display_name, obj.status.name if isinstance(obj, AnkaTemplate) else None


def _key(obj: AnkaInstance) -> str:
    """By uid: an object that is gone may be shown beside a later one of the same name."""
    return obj.metadata.uid
