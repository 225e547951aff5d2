"""Sends collected lines to the registry, in batches and at a limited rate."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Protocol

from anka_registry import metrics
from anka_registry.central_logs.buffer import LineBuffer
from anka_registry.errors import RegistryError
from anka_runtime.backoff import Backoff, Delays, system_random
from anka_runtime.clock import Sleep

log = logging.getLogger(__name__)


ROUND_SECONDS = 2.0
BACKOFF = Backoff(base=ROUND_SECONDS, cap=60.0)
ROUND_BYTES = 256 << 10
"""Most bytes per round: 128 KiB/s from a process."""
LAST_SECONDS = 2.0
"""Time to send the remaining lines when the process stops."""


class LogSink(Protocol):
    async def log(self, service: str, machine: str, host: str, content: str) -> None:
        """Raises RegistryError."""


@dataclass(eq=False)
class Shipper:
    """Each line is sent at least once: twice if the answer is lost. No error here ends the process."""

    _registry: LogSink
    _buffer: LineBuffer
    _machine: str
    _host: str
    _wanted: Callable[[], bool]
    _: KW_ONLY
    sleep: Sleep = asyncio.sleep
    _delays: Delays = field(default_factory=lambda: Delays(BACKOFF, system_random), init=False)
    _silent: bool = field(default=False, init=False)
    _off: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Until cancelled; then once more, for the last lines."""
        try:
            while True:
                await self.sleep(self._delays.next() if self._silent else ROUND_SECONDS)
                await self._try_round()
        except asyncio.CancelledError:
            try:
                async with asyncio.timeout(LAST_SECONDS):
                    await self._try_round()
            except TimeoutError:
                log.debug("the last lines were not sent")
            raise

    async def _try_round(self) -> None:
        try:
            await self._round()
        except RegistryError as error:
            metrics.LOG_FAILURES.inc()
            if not self._silent:
                log.warning("central logs are kept here until the registry takes them: %s", error)
            self._silent = True
        except Exception:
            # A bug here must cost log lines, never the work of the process.
            metrics.LOG_FAILURES.inc()
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
            self._buffer.remove(batch)
            left -= len(batch.content.encode("utf-8", "replace"))
            self._note_recovery()

    def _note_recovery(self) -> None:
        self._delays.reset()
        if self._silent:
            self._silent = False
            log.info("the registry takes central logs again")
        if dropped := self._buffer.take_drop_count():
            log.warning("lines of the central logs were dropped: there was no room for more", extra={"lines": dropped})
