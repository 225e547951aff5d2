"""Instances that failed, and the Macs on which they did: of the last 24 hours, in memory. Pure."""

from collections import Counter, deque
from dataclasses import dataclass

DAY_SECONDS = 86_400.0
MOST_OF_NODE = 200
MOST_NODES = 5_000
MOST_LATEST = 5_000


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """`at`: epoch seconds. `instance`: its id in the REST API. `node`: None if it never had one."""

    at: float
    reason: str
    message: str
    instance: str
    node: str | None


class FailureMemory:
    def __init__(self) -> None:
        self._latest: deque[FailureRecord] = deque(maxlen=MOST_LATEST)
        self._by_node: dict[str, deque[FailureRecord]] = {}

    def record(self, failure: FailureRecord) -> None:
        self._latest.append(failure)
        if failure.node is None:
            return
        if failure.node not in self._by_node and len(self._by_node) >= MOST_NODES:
            del self._by_node[next(iter(self._by_node))]
        self._by_node.setdefault(failure.node, deque(maxlen=MOST_OF_NODE)).append(failure)

    def forget_node(self, node: str) -> None:
        self._by_node.pop(node, None)

    def of_node(self, node: str, now: float) -> list[FailureRecord]:
        """Of the last 24 hours, the latest last."""
        return [failure for failure in self._by_node.get(node, ()) if now - failure.at < DAY_SECONDS]

    def count_reasons(self, since: float) -> dict[str, int]:
        """The most frequent first."""
        counts = Counter(failure.reason for failure in self._latest if failure.at >= since)
        return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))
