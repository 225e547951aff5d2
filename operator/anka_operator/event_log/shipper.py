"""Sends records to one sink: in order, each at least once, for as long as it takes."""

import asyncio
import logging
from collections.abc import Sequence

from anka_operator import metrics
from anka_operator.event_log.memory import MOST_BYTES, RecordBuffer
from anka_operator.event_log.record import EventRecord
from anka_operator.event_log.sinks import EventSink, RecordRefused, SinkError
from anka_runtime.background import Background
from anka_runtime.backoff import Backoff, Delays, Random, system_random
from anka_runtime.clock import Sleep
from anka_runtime.repetition import CAUSE

log = logging.getLogger(__name__)

BACKOFF = Backoff(base=1.0, cap=60.0)
MOST_REFUSALS = 5
"""So often in a row a sink may refuse the same records; then they are lost, or those behind them would be."""


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
        self._refusals = 0
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
            except RecordRefused as error:
                self._refusals += 1
                if self._refusals == MOST_REFUSALS:
                    self._give_up(records, str(error))
                    continue
                self._note_failure(str(error))
            except SinkError as error:
                self._refusals = 0
                self._note_failure(str(error))
            except Exception as error:
                # A bug here must cost lines of this log, never the work of the operator.
                self._note_failure(f"a bug: {error!r}")
            else:
                self._settle()
                metrics.EVENT_LOG.labels(self._sink.name, "sent").inc(len(records))
                self._note_success()
                continue
            await self._sleep(self._delays.next())

    def _settle(self) -> None:
        self._buffer.settle()
        self._refusals = 0
        self._show_pending()

    def _give_up(self, records: Sequence[EventRecord], why: str) -> None:
        """What comes behind them is tried at once."""
        metrics.EVENT_LOG_FAILURES.labels(self._sink.name).inc()
        metrics.EVENT_LOG.labels(self._sink.name, "lost").inc(len(records))
        self._lost += len(records)
        for record in records:
            more = {"sink": self._sink.name, "event_id": record.event_id, CAUSE: (self._sink.name, why)}
            log.error("a line of the event log is lost: it was refused %d times: %s", MOST_REFUSALS, why, extra=more)
        self._settle()
        self._delays.reset()

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
