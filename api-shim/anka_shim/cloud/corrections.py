"""Templates as they are since we changed the registry, until the operator's mirror shows the same.

The operator reads the registry every half minute. A client that has just deleted a tag must not be offered it again by
the next answer, so what we did is laid over the cache: until the mirror has read the registry anew, or for
`BELIEVED_SECONDS` at most, should it never do so.
"""

from __future__ import annotations

from dataclasses import dataclass

from anka_crds.api import AnkaTemplate
from anka_crds.kube.store import EventType, Store
from anka_crds.process.clock import Clock

BELIEVED_SECONDS = 90.0
"""Three rounds of the operator with its default --registry-seconds."""


@dataclass(frozen=True, slots=True)
class Correction:
    """`shown` instead of `mirrored`, the cache's object when we changed the registry; None for a deleted template."""

    mirrored: AnkaTemplate
    shown: AnkaTemplate | None
    until: float


class Corrections:
    def __init__(self, store: Store[AnkaTemplate], clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._by_id: dict[str, Correction] = {}
        store.subscribe(self._on_event)

    def deleted(self, id_: str) -> None:
        self._put(id_, None)

    def reverted(self, id_: str, numbers: set[int], size_bytes: int) -> None:
        """The registry has only versions of these numbers left."""
        mirrored = self._store.get(id_)
        if mirrored is None:
            return
        kept = [version for version in mirrored.status.versions if version.number in numbers]
        changes = {"versions": kept, "latest_tag": kept[-1].tag if kept else None, "size_bytes": size_bytes}
        self._put(id_, mirrored.model_copy(update={"status": mirrored.status.model_copy(update=changes)}))

    def of(self, mirrored: AnkaTemplate) -> AnkaTemplate | None:
        """What to show of this object of the cache; None for nothing."""
        id_ = mirrored.metadata.name
        correction = self._by_id.get(id_)
        if correction is None:
            return mirrored
        if correction.until <= self._clock.monotonic():
            del self._by_id[id_]
            return mirrored
        return correction.shown

    def _put(self, id_: str, shown: AnkaTemplate | None) -> None:
        mirrored = self._store.get(id_)
        if mirrored is not None:
            self._by_id[id_] = Correction(mirrored, shown, self._clock.monotonic() + BELIEVED_SECONDS)

    def _on_event(self, _: EventType, old: AnkaTemplate | None, new: AnkaTemplate | None) -> None:
        """Another list of versions is a newer word of the registry than ours."""
        id_ = (new or old).metadata.name  # type: ignore[union-attr]  # an event has one of them
        correction = self._by_id.get(id_)
        if correction is not None and (new is None or new.status.versions != correction.mirrored.status.versions):
            del self._by_id[id_]
