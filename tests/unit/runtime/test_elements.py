"""What is left out of a list is named once, and counted each time."""

from __future__ import annotations

import logging

import pytest

from anka_runtime.elements import UNREADABLE, read_elements


def count(what: str) -> float:
    return float(UNREADABLE.labels(what)._value.get())


def parse(row: object) -> int:
    if isinstance(row, dict):
        raise TypeError("two\nlines")
    return int(str(row))


def test_once_for_each_change(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rows = [1, "x", {"uuid": "u-1"}, 2]
    for _ in range(3):
        assert read_elements("things", rows, parse, subject="box") == [1, 2]
    assert count("things") == 6
    (line,) = caplog.messages
    assert line.startswith("left out of things of box, because they cannot be read: number 2: ")
    assert "'u-1': two lines" in line
    assert read_elements("things", rows[:2], parse, subject="box") == [1]
    assert len(caplog.messages) == 2
    assert read_elements("things", [1], parse, subject="box") == [1]
    assert caplog.messages[-1] == "all of things of box can be read again"
    read_elements("things", [1], parse, subject="box")
    assert len(caplog.messages) == 3


def test_a_long_list_of_bad_ones_is_one_short_line(caplog: pytest.LogCaptureFixture) -> None:
    assert read_elements("many", ["x"] * 1000, parse) == []
    (line,) = caplog.messages
    assert line.endswith("; and 995 more")
    assert len(line) < 2000
