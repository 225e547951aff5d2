"""How many connections there may be, of all clients and of each, and the reserve for what must always get through.

A client that opens as many as it can would shut out everybody, and the kubelet, which would then end the process.
"""

import logging
from collections import Counter
from typing import Protocol

from anka_runtime.repetition import CAUSE
from anka_shim import metrics

log = logging.getLogger(__name__)

RESERVE = 64
"""Connections beyond the limits. Each serves one request: those for UNLIMITED paths are answered, others refused."""


class ReservedConnection(Protocol):
    """What the budget needs of a connection in the reserve."""

    @property
    def is_answering(self) -> bool: ...

    def abort(self) -> None: ...


class ConnectionBudget:
    """`most`: of all clients; `most_per_client`: of one address."""

    def __init__(self, *, most: int, most_per_client: int) -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._by_client: Counter[str] = Counter()
        self._admitted = 0
        self._reserve: dict[ReservedConnection, None] = {}
        metrics.CONNECTIONS.set_function(lambda: self._admitted + len(self._reserve))

    def admit(self, connection: ReservedConnection, client: str) -> bool:
        """Whether it is within the limits. If not, it is in the reserve, whose oldest makes room for it."""
        limit = self._exceeded(client)
        if limit is None:
            self._admitted += 1
            self._by_client[client] += 1
            return True
        metrics.CONNECTIONS_LIMITED.labels(limit).inc()
        log.warning(
            "too many connections: see --max-connections",
            extra={"limit": limit, "client": client, "open": self._admitted, CAUSE: limit},
        )
        if len(self._reserve) >= RESERVE:
            oldest = next((other for other in self._reserve if not other.is_answering), next(iter(self._reserve)))
            del self._reserve[oldest]
            oldest.abort()
        self._reserve[connection] = None
        return False

    def release(self, connection: ReservedConnection, client: str, *, admitted: bool) -> None:
        """It is closed."""
        if not admitted:
            self._reserve.pop(connection, None)
            return
        self._admitted -= 1
        self._by_client[client] -= 1
        if not self._by_client[client]:
            del self._by_client[client]

    def _exceeded(self, client: str) -> str | None:
        if self._admitted >= self._most:
            return "all"
        return "client" if self._by_client[client] >= self._most_per_client else None
