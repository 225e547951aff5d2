"""Sends collected lines to the registry, in batches and not faster than it may."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from prometheus_client import Counter

from anka_agent.central_logs.buffer import Buffer
from anka_crds.kube.backoff import Backoff, Delays, system_random
from anka_crds.registry.errors import RegistryError

log = logging.getLogger(__name__)

FAILURES = Counter("anka_agent_central_log_failures_total", "Batches of lines that the registry did not take")

ROUND_SECONDS = 2.0
ROUND_BYTES = 256 << 10
"""At most this much in a round: 128 KiB/s from a Mac, whatever happens on it."""
LAST_SECONDS = 2.0
"""For what is left when the agent stops."""


class Registry(Protocol):
    async def log(self, service: str, machine: str, host: str, content: str) -> None:
        """Raises RegistryError."""


class Shipper:
    """A line is sent at least once: where the answer was lost, twice. Nothing that happens here ends the agent."""

    def __init__(
        self,
        registry: Registry,
        buffer: Buffer,
        machine: str,
        host: str,
        wanted: Callable[[], bool],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._registry = registry
        self._buffer = buffer
        self._machine = machine
        self._host = host
        self._wanted = wanted
        self._sleep = sleep
        self._delays = Delays(Backoff(base=ROUND_SECONDS, cap=60.0), system_random)
        self._silent = False
        self._off = False

    async def run(self) -> None:
        """Until cancelled; then once more, for the last lines."""
        try:
            while True:
                await self._sleep(self._delays.next() if self._silent else ROUND_SECONDS)
                await self._guarded_round()
        except asyncio.CancelledError:
            try:
                async with asyncio.timeout(LAST_SECONDS):
                    await self._guarded_round()
            except TimeoutError:
                log.debug("the last lines were not sent")
            raise

    async def _guarded_round(self) -> None:
        try:
            await self._round()
        except RegistryError as error:
            FAILURES.inc()
            if not self._silent:
                log.warning("central logs are kept here until the registry takes them: %s", error)
            self._silent = True
        except Exception:
            # A bug here must cost log lines, never VMs.
            FAILURES.inc()
            log.exception("central logs are not sent: a bug")
            self._silent = True

    async def _round(self) -> None:
        if not self._wanted():
            self._buffer.clear()
            if not self._off:
                log.info("logs stay on this Mac: spec.disableCentralLogging")
            self._off = True
            return
        self._off = False
        left = ROUND_BYTES
        while left > 0 and (batch := self._buffer.batch(left)) is not None:
            await self._registry.log(batch.service, self._machine, self._host, batch.content)
            self._buffer.sent(batch)
            left -= len(batch.content.encode("utf-8", "replace"))
            self._recovered()

    def _recovered(self) -> None:
        self._delays.reset()
        if self._silent:
            self._silent = False
            log.info("the registry takes central logs again")
        if dropped := self._buffer.dropped():
            log.warning("lines of the central logs were dropped: there was no room for more", extra={"lines": dropped})
