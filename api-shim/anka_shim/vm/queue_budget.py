"""How many instances may wait for a Mac, so that no client makes all others wait. As for the storage, each replica
counts for itself."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from anka_crds.api import AnkaInstance
from anka_crds.api.states import Phase
from anka_kube.store import EventType
from anka_shim import metrics
from anka_shim.failure import Failure
from anka_shim.store.caches import Stores


class QueueBudget:
    """Instances that wait for a Mac: of all, and of those that one client has started here."""

    def __init__(self, stores: Stores, most: int, most_per_client: int) -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._waiting: dict[str, str] = {}
        """Who started it, by id; empty for what was not started here."""
        self._reserved: Counter[str] = Counter()
        self._by_client: Counter[str] = Counter()
        self._id_of = stores.id_of
        stores.instances.subscribe(self._on_event)

    @contextmanager
    def reserve(self, count: int, client: str) -> Iterator[list[str]]:
        """While this many are being started; the block adds their ids to the list. Raises Failure for too many."""
        waiting = len(self._waiting) + self._reserved.total()
        if waiting + count > self._most:
            raise _refuse("queue", f"too many instances wait for a Mac: {waiting}", self._most, "--max-waiting")
        own = self._by_client[client] + self._reserved[client]
        if own + count > self._most_per_client:
            told = f"too many instances of {client} wait for a Mac: {own}"
            raise _refuse("client", told, self._most_per_client, "--max-waiting-per-client")
        self._reserved[client] += count
        ids: list[str] = []
        try:
            yield ids
        finally:
            self._reserved[client] -= count
            for id_ in ids:
                if self._waiting.get(id_) == "":
                    self._waiting[id_] = client
                    self._by_client[client] += 1
            self._drop_empty(client)

    def _on_event(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is not None and _is_waiting(new):
            self._waiting.setdefault(self._id_of(new), "")
        elif old is not None:
            client = self._waiting.pop(self._id_of(old), "")
            if client:
                self._by_client[client] -= 1
                self._drop_empty(client)

    def _drop_empty(self, client: str) -> None:
        """A client without instances takes no memory."""
        for counter in (self._by_client, self._reserved):
            if not counter[client]:
                del counter[client]


def _is_waiting(instance: AnkaInstance) -> bool:
    status = instance.status
    return status.phase is Phase.SCHEDULING and not status.node_name and instance.metadata.deletion_timestamp is None


def _refuse(budget: str, told: str, most: int, setting: str) -> Failure:
    metrics.BUDGET_REFUSALS.labels(budget).inc()
    return Failure(f"{told}, and at most {most} may ({setting}): end some, or try again when others have started")
