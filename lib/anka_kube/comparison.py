"""Finds what a watch has missed. Between us and the API there may be a proxy that loses events of a stream and lets the
others pass: no error tells, and a watch goes on from the last event that it has seen.

At intervals, the names and versions of all objects (their metadata only) are compared with the store. What differs, and
has not changed in the store while the comparison ran and for some time after it, was missed: it is read, or removed.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Generic

from anka_kube import metrics
from anka_kube.client import KubeClient, ObjectVersion
from anka_kube.errors import ApiError, Unparsable
from anka_kube.resource import ALL, Key, M, Selection, key_of
from anka_kube.store import EventType, Store, is_newer
from anka_runtime.background import Background
from anka_runtime.backoff import Random, system_random
from anka_runtime.clock import Sleep

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 300.0
GRACE_SECONDS = 30.0
"""How late an event may be. What is later counts as missed, which does no harm: it is only read once more."""


@dataclass(eq=False)
class WatchComparison(Background, Generic[M]):
    """One loop beside the watch that fills `store`. `selection`: that of the watch. `interval_seconds`: by default
    INTERVAL_SECONDS. `page_size`: 0 for few objects of many, which the apiserver then picks in its memory."""

    client: KubeClient
    store: Store[M]
    _: KW_ONLY
    selection: Selection = ALL
    interval_seconds: float | None = None
    page_size: int = 500
    chance: Random = system_random
    sleep: Sleep = asyncio.sleep
    _unparsable: set[ObjectVersion] = field(default_factory=set, init=False)
    """Listed objects that this version cannot read: their absence from the store is no difference."""

    @property
    def task_name(self) -> str:
        return f"comparison {self.store.resource.label}"

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            # Spread out: a thousand agents that started together must not ask together.
            await self.sleep((self.interval_seconds or INTERVAL_SECONDS) * (0.8 + 0.4 * self.chance()))
            try:
                await self.compare()
            except ApiError as error:
                log.debug("%s is not compared: %s", self.store.resource.label, error)
            except Exception:  # a bug here must not end the process
                log.exception("comparison of %s failed", self.store.resource.label)

    async def compare(self) -> int:
        """How many objects the watch had missed; they are in the store now. Raises ApiError."""
        if not self.store.delivered_version:
            return 0
        changed: set[Key] = set()
        missed = 0

        def note(_: EventType, old: M | None, new: M | None) -> None:
            if (obj := new or old) is not None:
                changed.add(key_of(obj))

        unsubscribe = self.store.subscribe(note)
        try:
            listed = await self.client.list_versions(
                self.store.resource,
                self.selection,
                limit=self.page_size,
            )
            self._unparsable &= set(listed.values())
            differences = find_differences(self.store, listed)
            suspects = {key for key in differences if listed.get(key) not in self._unparsable} - changed
            if suspects:
                await self.sleep(GRACE_SECONDS)
            for key in sorted(suspects):
                # Asked for each: the watch goes on while others are read, and knows better than an old list.
                if key not in changed:
                    missed += await self._repair(key, listed.get(key))
            return missed
        finally:
            unsubscribe()
            if missed:
                metrics.MISSED_EVENTS.labels(self.store.resource.label).inc(missed)
                log.warning(
                    "the watch of %s had missed events of %d objects: does a proxy in between lose some?",
                    self.store.resource.label,
                    missed,
                )

    async def _repair(self, key: Key, there: ObjectVersion | None) -> bool:
        """Whether the store has changed. Raises ApiError."""
        namespace, name = key
        here = self.store.get(name, namespace)
        if there is None:
            if here is not None:
                self.store.observe_deleted(key, here.metadata.uid or "", None)
            return here is not None
        one = ",".join(filter(None, (self.selection.field_selector, f"metadata.name={name}")))
        try:
            found = await self.client.list(
                self.store.resource, namespace or None, label_selector=self.selection.label_selector, field_selector=one
            )
        except Unparsable:
            self._unparsable.add(there)
            return False
        # None: deleted just now. The watch says so, or the next comparison.
        for obj in found.items:
            self.store.observe(obj)
        return self.store.get(name, namespace) is not here


def find_differences(store: Store[M], listed: Mapping[Key, ObjectVersion]) -> set[Key]:
    """Objects that the store has and the API has not, and those that the API has, or has in a newer version."""
    return {key_of(obj) for obj in store} - listed.keys() | find_newer(store, listed)


def find_newer(store: Store[M], listed: Mapping[Key, ObjectVersion]) -> set[Key]:
    """Those of the listed objects that the store has not, or in an older version."""
    found = set[Key]()
    for key, there in listed.items():
        here = store.get(key[1], key[0])
        if here is None:
            if not store.has_pending_deletion(there.uid) and not store.passes_over(key, there.uid):
                found.add(key)
        elif here.metadata.uid != there.uid or is_newer(there.version, here.metadata.resource_version):
            found.add(key)
    return found
