"""The central logs of this agent, put together: collected from its start on, sent once it knows who it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anka_agent.central_logs.buffer import Buffer
from anka_agent.central_logs.collector import Collector
from anka_agent.central_logs.hidden import Hidden
from anka_agent.central_logs.shipper import Shipper
from anka_crds.registry.client import RegistryClient


class CentralLogs:
    """`registry` None: nothing is collected. `wanted` says whether people want it at the moment; it may be replaced."""

    def __init__(self, registry: str | None, *, wanted: bool) -> None:
        self.hidden = Hidden()
        self.wanted: Callable[[], bool] = lambda: wanted
        self._registry = registry
        self._buffer = Buffer()

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """All that is logged inside."""
        if self._registry is None:
            yield
            return
        collector = Collector(self._buffer, self.hidden, lambda: self.wanted())
        root = logging.getLogger()
        root.addHandler(collector)
        try:
            yield
        finally:
            root.removeHandler(collector)

    async def ship(self, machine: str, host: str) -> None:
        """As this machine, until cancelled."""
        if self._registry is None:
            await asyncio.Event().wait()
            return
        async with RegistryClient(self._registry) as registry:
            await Shipper(registry, self._buffer, machine, host, lambda: self.wanted()).run()
