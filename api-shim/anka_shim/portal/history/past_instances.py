"""The latest instances of each Mac, with what became of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

MOST_OF_NODE = 20


@dataclass(frozen=True, slots=True)
class PastInstance:
    """`result`: Started, Error or Terminated; None before its first. `template`: its name."""

    uid: str
    id: str
    name: str
    template: str
    tag: str | None
    owner: str | None
    """Its permission group."""
    bound_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    result: str | None = None
    reason: str = ""
    message: str = ""


class NodeInstances:
    def __init__(self) -> None:
        self._by_node: dict[str, dict[str, PastInstance]] = {}

    def record(self, node: str, instance: PastInstance) -> None:
        """As it is now. Of those that have a place, the one that was bound first makes room."""
        known = self._by_node.setdefault(node, {})
        known[instance.uid] = instance
        if len(known) > MOST_OF_NODE:
            del known[min(known.values(), key=lambda one: (one.bound_at, one.uid)).uid]

    def find(self, node: str, uid: str) -> PastInstance | None:
        return self._by_node.get(node, {}).get(uid)

    def of_node(self, node: str) -> Sequence[PastInstance]:
        """The latest first."""
        known = self._by_node.get(node, {}).values()
        return sorted(known, key=lambda one: (one.bound_at, one.uid), reverse=True)

    def forget_node(self, node: str) -> None:
        self._by_node.pop(node, None)
