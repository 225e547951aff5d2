"""Sends records to one sink: in order, each at least once, for as long as it takes."""

import asyncio
import logging

from anka_operator import metrics
from anka_operator.event_log.memory import MOST_BYTES, RecordBuffer
from anka_operator.event_log.record import EventRecord
from anka_operator.event_log.sinks import EventSink, SinkError
from anka_runtime.background import Background
from anka_runtime.backoff import Backoff, Delays, Random, system_random
from anka_runtime.clock import Sleep

log = logging.getLogger(__name__)

BACKOFF = Backoff(base=1.0, cap=60.0)


class RecordShipper(Background):
    """`mark`: what was noticed before this moment, in epoch seconds, is sent already. No error here ends the
    process."""

    def __init__(
        self,
        sink: EventSink,
        mark: float,
        *,
        most_bytes: int = MOST_BYTES,
        sleep: Sleep = asyncio.sleep,
        chance: Random = system_random,
    ) -> None:
        self._sink = sink
        self._sleep = sleep
        self._delays = Delays(BACKOFF, chance)
        self._buffer = RecordBuffer(mark, self._on_lost, most_bytes)
        self._is_failing = False
        self._lost = 0
        for outcome in ("sent", "lost"):
            metrics.EVENT_LOG.labels(sink.name, outcome)

    @property
    def task_name(self) -> str:
        return f"event log to {self._sink.name}"

    @property
    def mark(self) -> float:
        """What was noticed before this moment is sent, or lost."""
        return self._buffer.mark

    def add(self, record: EventRecord) -> None:
        self._buffer.add(record)
        self._show_pending()

    async def run(self) -> None:
        while True:
            records = await self._buffer.take(self._sink.most)
            try:
                await self._sink.send(records)
            except SinkError as error:
                self._note_failure(str(error))
            except Exception as error:
                # A bug here must cost lines of this log, never the work of the operator.
                self._note_failure(f"a bug: {error!r}")
            else:
                self._buffer.settle()
                metrics.EVENT_LOG.labels(self._sink.name, "sent").inc(len(records))
                self._note_success()
                self._show_pending()
                continue
            await self._sleep(self._delays.next())

    def _note_failure(self, why: str) -> None:
        metrics.EVENT_LOG_FAILURES.labels(self._sink.name).inc()
        if not self._is_failing:
            log.warning("the event log is kept here until it is taken: %s", why, extra={"sink": self._sink.name})
        self._is_failing = True

    def _note_success(self) -> None:
        self._delays.reset()
        if self._is_failing:
            self._is_failing = False
            log.info("the event log is taken again", extra={"sink": self._sink.name, "lost": self._lost})
            self._lost = 0

    def _on_lost(self, record: EventRecord) -> None:
        metrics.EVENT_LOG.labels(self._sink.name, "lost").inc()
        self._lost += 1
        if self._lost == 1:
            more = {"sink": self._sink.name, "event_id": record.event_id}
            log.error("lines of the event log are lost: there is no room for more", extra=more)

    def _show_pending(self) -> None:
        metrics.EVENT_LOG_PENDING.labels(self._sink.name).set(len(self._buffer))
