"""Bounded, in order, and nothing leaves it before it is sent."""

from __future__ import annotations

import threading

from anka_registry import metrics
from anka_registry.central_logs.buffer import CUT, LINE_BYTES, LineBuffer


def take_drop_count() -> float:
    return float(metrics.LOG_LINES.labels("dropped")._value.get())


def test_batches_are_of_one_service_oldest_first() -> None:
    buffer = LineBuffer()
    for service, line in [("a", "1"), ("b", "2"), ("a", "3"), ("b", "4")]:
        buffer.add(service, line)
    first = buffer.batch(100)
    assert first is not None
    assert (first.service, first.content) == ("a", "1\n3\n")
    assert buffer.batch(100) == first, "it stays until it is sent"
    buffer.remove(first)
    second = buffer.batch(100)
    assert second is not None
    assert (second.service, second.content) == ("b", "2\n4\n")
    buffer.remove(second)
    assert buffer.batch(100) is None


def test_a_batch_is_bounded_but_never_empty() -> None:
    buffer = LineBuffer()
    for line in ("x" * 10, "y" * 10, "z" * 10):
        buffer.add("a", line)
    batch = buffer.batch(25)
    assert batch is not None
    assert batch.content == "x" * 10 + "\n" + "y" * 10 + "\n"
    small = buffer.batch(1)
    assert small is not None
    assert small.content == "x" * 10 + "\n"


def test_the_oldest_lines_are_dropped_and_counted() -> None:
    before = take_drop_count()
    buffer = LineBuffer(most_bytes=30)
    for number in range(5):
        buffer.add("a", f"line {number} xx")
    batch = buffer.batch(1000)
    assert batch is not None
    assert batch.content == "line 2 xx\nline 3 xx\nline 4 xx\n"
    assert take_drop_count() - before == 2
    assert (buffer.take_drop_count(), buffer.take_drop_count()) == (2, 0)


def test_a_line_that_was_dropped_while_it_was_sent() -> None:
    buffer = LineBuffer(most_bytes=20)
    buffer.add("a", "x" * 10)
    batch = buffer.batch(1000)
    assert batch is not None
    buffer.add("a", "y" * 10)
    buffer.add("a", "z" * 10)
    buffer.remove(batch)
    rest = buffer.batch(1000)
    assert rest is not None
    assert rest.content == "y" * 10 + "\n" + "z" * 10 + "\n"
    buffer.remove(rest)
    for letter in "vw":
        buffer.add("a", letter * 10)
    assert len(buffer) == 2, "the bytes are counted right"


def test_a_long_line_is_cut_between_characters() -> None:
    buffer = LineBuffer()
    buffer.add("a", "é" * LINE_BYTES)
    batch = buffer.batch(1 << 20)
    assert batch is not None
    assert batch.content == "é" * (LINE_BYTES // 2) + CUT + "\n"


def test_one_line_larger_than_all_room_is_kept() -> None:
    buffer = LineBuffer(most_bytes=5)
    buffer.add("a", "x" * 10)
    assert len(buffer) == 1


def test_cleared() -> None:
    buffer = LineBuffer()
    buffer.add("a", "x")
    buffer.clear()
    assert (buffer.batch(10), buffer.take_drop_count()) == (None, 0)


def test_threads_lose_nothing() -> None:
    buffer = LineBuffer()

    def fill(name: int) -> None:
        for number in range(200):
            buffer.add(f"{name}", f"{name}-{number}")

    threads = [threading.Thread(target=fill, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines: list[str] = []
    while (batch := buffer.batch(500)) is not None:
        lines += batch.content.split()
        buffer.remove(batch)
    assert len(lines) == 800
    for name in range(4):
        assert [line for line in lines if line.startswith(f"{name}-")] == [f"{name}-{number}" for number in range(200)]
