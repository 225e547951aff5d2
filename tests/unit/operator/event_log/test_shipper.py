"""In order, at least once, and said when it is not so."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import pytest

from anka_operator import metrics
from anka_operator.event_log.record import EventRecord
from anka_operator.event_log.shipper import MOST_REFUSALS, RecordShipper
from anka_operator.event_log.sinks import RecordRefused, SinkError


def record(number: int) -> EventRecord:
    return EventRecord(str(number), "StartVM", "s", "i", number, float(number), {})


class ListSink:
    """Fails as often as told; a call may have arrived all the same."""

    name = "test"
    most = 2

    def __init__(self) -> None:
        self.troubles: list[Exception] = []
        self.taken: list[int] = []
        self._changed = asyncio.Event()

    async def send(self, records: Sequence[EventRecord]) -> None:
        if self.troubles:
            raise self.troubles.pop()
        self.taken += [int(one.event_id) for one in records]
        self._changed.set()

    async def until(self, *wanted: int) -> None:
        async with asyncio.timeout(20):
            while self.taken != [*wanted]:
                self._changed.clear()
                await self._changed.wait()


class Naps:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def count(outcome: str) -> float:
    return float(metrics.EVENT_LOG.labels("test", outcome)._value.get())


@pytest.mark.parametrize("trouble", [SinkError("away"), RuntimeError("a bug")])
async def test_what_is_not_taken_is_sent_again_less_and_less_often(
    trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "anka_operator.event_log")
    sink, naps = ListSink(), Naps()
    sink.troubles = [trouble] * 12
    before = count("sent")
    async with RecordShipper(sink, 0.0, sleep=naps.sleep, chance=lambda: 1.0) as shipper:
        for number in range(1, 6):
            shipper.add(record(number))
        await sink.until(1, 2, 3, 4, 5)
        assert shipper.mark == 5.0
    assert naps.seconds[:3] == [1.0, 2.0, 4.0]
    assert max(naps.seconds) == 60.0
    assert len(naps.seconds) == 12
    assert count("sent") - before == 5
    first, last = (entry.getMessage() for entry in caplog.records)
    assert first.startswith("the event log is kept here until it is taken: ")
    assert last == "the event log is taken again"


async def test_what_there_is_no_room_for_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    sink, before = ListSink(), count("lost")
    shipper = RecordShipper(sink, 0.0, most_bytes=3 * record(0).size)
    for number in range(1, 8):
        shipper.add(record(number))
    async with shipper:
        await sink.until(5, 6, 7)
    assert count("lost") - before == 4
    assert [entry.getMessage() for entry in caplog.records] == [
        "lines of the event log are lost: there is no room for more"
    ]


class PickySink(ListSink):
    """Refuses one record for good."""

    most = 1

    def __init__(self, refused: int) -> None:
        super().__init__()
        self.refused = refused
        self.tries = 0

    async def send(self, records: Sequence[EventRecord]) -> None:
        if [int(one.event_id) for one in records] == [self.refused]:
            self.tries += 1
            raise self.troubles.pop() if self.troubles else RecordRefused("HTTP 422")
        await super().send(records)


async def test_what_is_refused_for_good_blocks_nothing_behind_it(caplog: pytest.LogCaptureFixture) -> None:
    sink, naps, lost, sent = PickySink(2), Naps(), count("lost"), count("sent")
    async with RecordShipper(sink, 0.0, sleep=naps.sleep, chance=lambda: 1.0) as shipper:
        for number in range(1, 5):
            shipper.add(record(number))
        await sink.until(1, 3, 4)
        assert shipper.mark == 4.0
    assert (sink.tries, len(naps.seconds)) == (MOST_REFUSALS, MOST_REFUSALS - 1)
    assert (count("lost") - lost, count("sent") - sent) == (1, 3)
    [told] = [entry for entry in caplog.records if entry.levelname == "ERROR"]
    assert told.getMessage() == "a line of the event log is lost: it was refused 5 times: HTTP 422"
    assert vars(told)["event_id"] == "2"


async def test_a_sink_that_is_away_in_between_is_no_refusal() -> None:
    """Only so many in a row count."""
    sink, naps = PickySink(1), Naps()
    sink.troubles = [RecordRefused("HTTP 400"), SinkError("HTTP 503"), *[RecordRefused("HTTP 400")] * 4]
    async with RecordShipper(sink, 0.0, sleep=naps.sleep, chance=lambda: 1.0) as shipper:
        shipper.add(record(1))
        shipper.add(record(2))
        await sink.until(2)
    assert sink.tries == 4 + 1 + MOST_REFUSALS
