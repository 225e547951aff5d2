"""What is kept is bounded, and what is lost is known."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from anka_operator.event_log.memory import RecordBuffer, RecordMemory
from anka_operator.event_log.record import EventRecord


def record(number: int, *, time: int | None = None) -> EventRecord:
    return EventRecord(str(number), "StartVM", "s", "i", number if time is None else time, float(number), {})


SIZE = record(0).size


def ids(records: list[EventRecord]) -> list[int]:
    return [int(one.event_id) for one in records]


def test_a_standby_knows_what_is_newer_than_a_mark_and_whether_that_is_all() -> None:
    memory = RecordMemory(most_bytes=3 * SIZE)
    for number in range(1, 6):
        memory.add(record(number))
    assert (ids(memory.find_since(4.0)[0]), memory.find_since(4.0)[1]) == ([4, 5], True)
    assert (ids(memory.find_since(2.0)[0]), memory.find_since(2.0)[1]) == ([3, 4, 5], False)


def test_they_come_in_the_order_of_their_time() -> None:
    memory = RecordMemory()
    for number, time in enumerate((30, 10, 20, 10)):
        memory.add(record(number, time=time))
    assert ids(memory.find_since(0.0)[0]) == [1, 3, 2, 0]


async def test_what_is_taken_stays_until_it_has_arrived() -> None:
    buffer = RecordBuffer(0.0, lambda _: None)
    for number in range(1, 4):
        buffer.add(record(number))
    assert ids(await buffer.take(2)) == [1, 2]
    assert buffer.mark == 1.0
    assert ids(await buffer.take(2)) == [1, 2], "it did not arrive"
    buffer.settle()
    assert (buffer.mark, ids(await buffer.take(2))) == (3.0, [3])
    buffer.settle()
    assert (buffer.mark, len(buffer)) == (3.0, 0)
    waiting = asyncio.create_task(buffer.take(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    buffer.add(record(4))
    assert ids(await waiting) == [4]


def test_the_mark_never_goes_back() -> None:
    buffer = RecordBuffer(100.0, lambda _: None)
    buffer.add(record(60))
    assert buffer.mark == 100.0


@settings(deadline=None)
@given(st.lists(st.sampled_from(["add", "take", "settle"]), max_size=60))
async def test_each_is_sent_in_order_or_counted_as_lost(steps: list[str]) -> None:
    lost: list[EventRecord] = []
    buffer = RecordBuffer(0.0, lost.append, most_bytes=4 * SIZE)
    sent: list[int] = []
    added, flying = 0, []
    for step in steps:
        if step == "add":
            added += 1
            buffer.add(record(added))
        elif step == "take" and len(buffer):
            flying = ids(await buffer.take(2))
        elif step == "settle" and flying:
            buffer.settle()
            sent += flying
            flying = []
        assert len(buffer) <= 4
    while len(buffer):
        sent += ids(await buffer.take(3))
        buffer.settle()
    assert sent == sorted(sent)
    assert sorted([*sent, *ids(lost)]) == list(range(1, added + 1))
    assert buffer.mark == max([0, *sent])
