"""How much may be stored, so that no client fills etcd.

Counted is what the caches have, whoever made it; refused is what comes by REST. Each replica counts for itself: two of
them may go beyond the limit by what they make at the same moment.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from anka_kube.store import EventType, Store
from anka_shim import metrics
from anka_shim.annotations import SCRIPT_BYTES
from anka_shim.failure import Failure

OBJECT_BYTES = 2048
"""What an object takes beside its spec: metadata, and a status."""


class StorageBudget:
    """Bytes of the specs of all objects in these stores, and of scripts that are stored beside them."""

    def __init__(self, stores: Iterable[Store[Any]], most: int) -> None:
        self._most = most
        self._sizes: dict[str, int] = {}
        self._bytes = 0
        for store in stores:
            store.subscribe(self._on_event)

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """While this many bytes are being written. Raises Failure if there is no room for them."""
        if self._bytes + size > self._most:
            metrics.BUDGET_REFUSALS.labels("storage").inc()
            raise Failure(
                f"too much is stored: {self._bytes} bytes in instances, images, distributions, groups and API keys, "
                f"{size} more are asked for, and {self._most} may be (--max-stored-bytes): end or delete some first"
            )
        self._bytes += size
        try:
            yield
        finally:
            self._bytes -= size

    def _on_event(self, _: EventType, old: Any, new: Any) -> None:
        if old is not None and new is not None and old.metadata.generation == new.metadata.generation:
            # A write of its status.
            return
        obj = new or old
        self._bytes -= self._sizes.pop(obj.metadata.uid, 0)
        if new is not None:
            size = self._sizes[obj.metadata.uid] = size_of(new)
            self._bytes += size


def size_of(obj: Any) -> int:
    share = obj.metadata.annotations.get(SCRIPT_BYTES, "")
    spec = len(obj.spec.model_dump_json(exclude_none=True, by_alias=True))
    return OBJECT_BYTES + spec + (int(share) if share.isdecimal() else 0)
