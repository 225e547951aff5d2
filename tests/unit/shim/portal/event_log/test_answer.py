"""The end of a log of anybody's lines, page by page."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from anka_shim.portal.event_log.answer import LONGEST_LINE, read_events, select_page


def line(number: int, *, with_id: bool = True) -> bytes:
    fields = {"name": "StartVM", "time": 100 + number, **({"event_id": f"e{number}"} if with_id else {})}
    return json.dumps(fields).encode()


def test_the_newest_first_and_nothing_else() -> None:
    lines = [b"Log file created at: 2026/01/01", line(1), b"{broken", b'{"name": "no time"}', b"[]", line(2), b""]
    found = read_events(b"\n".join(lines), is_whole=True)
    assert [event["event_id"] for event in found] == ["e2", "e1"]
    assert read_events(b"\n".join((line(1), line(2))), is_whole=False) == [json.loads(line(2))]
    assert read_events(b'{"name":"x","time":1,"a":"%s"}' % (b"a" * LONGEST_LINE), is_whole=True) == []


def test_lines_of_the_old_controller_get_an_id() -> None:
    (first,) = read_events(line(1, with_id=False), is_whole=True)
    (again,) = read_events(line(1, with_id=False), is_whole=True)
    assert first["event_id"] == again["event_id"]


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes(tail: bytes, is_whole: bool) -> None:
    for event in read_events(tail, is_whole=is_whole):
        assert isinstance(event["event_id"], str)


@given(st.integers(0, 30), st.integers(1, 7))
def test_pages_have_each_event_once(count: int, limit: int) -> None:
    events = read_events(b"\n".join(map(line, range(count))), is_whole=True)
    seen: list[str] = []
    before: str | None = None
    while True:
        page = select_page(events, limit, before)
        assert page is not None
        seen += [event["event_id"] for event in page.events]
        if not page.has_more:
            break
        before = seen[-1]
    assert seen == [f"e{number}" for number in reversed(range(count))]
    assert select_page(events, limit, "of another log") is None
