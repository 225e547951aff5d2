"""How many Macs there are, and what follows for each of them: how long it waits before it asks the API again when all
have lost their streams at once. docs/contribute/performance.md has the arithmetic."""

import asyncio
import logging

from anka_crds.resources import NODES
from anka_kube.client import KubeClient
from anka_kube.errors import ApiError
from anka_kube.pacing import TurnWindow
from anka_runtime.backoff import Backoff, Delays, Random, system_random
from anka_runtime.clock import Sleep

log = logging.getLogger(__name__)

REQUESTS_PER_SECOND = 35.0
"""What all agents together send to get their streams of one kind back. Each has two, of its node and of its instances.
Few have one of saves or distributions, which add as few requests. Heartbeats come on top."""
LEAST_SECONDS, MOST_SECONDS = 0.5, 300.0
ASSUMED = 100
"""Macs, before the API was asked. An agent asks at its start."""
INTERVALS = Backoff(base=60.0, cap=3600.0, factor=4.0)
"""Between two counts: when one Mac starts, others may be about to, and later they rarely come."""


class FleetSize:
    """`macs` follows the number of AnkaNodes, an hour late at most, and a minute in the beginning."""

    def __init__(self, client: KubeClient, *, chance: Random = system_random, sleep: Sleep = asyncio.sleep) -> None:
        self.macs = ASSUMED
        self._client = client
        self._chance = chance
        self._sleep = sleep

    async def run(self) -> None:
        """Until cancelled."""
        delays = Delays(INTERVALS, self._chance)
        while True:
            try:
                self.macs = max(1, await self._client.count(NODES))
            except ApiError as error:
                log.debug("Macs not counted: %s", error)
            await self._sleep(delays.next())

    def window(self) -> float:
        """Seconds in which each Mac may send one request for a stream."""
        return min(MOST_SECONDS, max(LEAST_SECONDS, self.macs / REQUESTS_PER_SECOND))

    def spread(self, *, prompt: bool = False) -> TurnWindow:
        """Of one watch of each Mac."""
        return TurnWindow(self.window, prompt=prompt)
