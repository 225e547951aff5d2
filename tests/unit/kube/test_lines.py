from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_kube.lines import LineSplitter, LineTooLong


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], []),
        ([b""], []),
        ([b"a\n"], [b"a"]),
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a", b"\n"], [b"a"]),
        ([b"a", b"b", b"c\nd"], [b"abc"]),
        ([b"\n\n", b" \r\n", b"x\n"], [b"x"]),
        ([b"cut off"], []),
    ],
)
def test_complete_lines_only(chunks: list[bytes], lines: list[bytes]) -> None:
    splitter = LineSplitter()
    assert [line for chunk in chunks for line in splitter.feed(chunk)] == lines


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\n" not in b and b.strip())), st.data())
def test_any_chunking_gives_the_same_lines(lines: list[bytes], data: st.DataObject) -> None:
    text = b"".join(line + b"\n" for line in lines)
    splitter = LineSplitter()
    out: list[bytes] = []
    while text:
        size = data.draw(st.integers(1, len(text)))
        out += splitter.feed(text[:size])
        text = text[size:]
    assert out == lines
    assert splitter.feed(b"\n") == []


def test_a_line_of_a_megabyte_in_small_chunks() -> None:
    splitter = LineSplitter()
    for _ in range(1000):
        assert splitter.feed(b"x" * 1000) == []
    assert splitter.feed(b"\n") == [b"x" * 1_000_000]


@pytest.mark.parametrize("chunks", [[b"x" * 11], [b"x" * 6, b"x" * 5], [b"ok\n" + b"x" * 11], [b"x" * 11 + b"\n"]])
def test_a_line_over_the_limit_is_refused(chunks: list[bytes]) -> None:
    splitter = LineSplitter(limit=10)
    with pytest.raises(LineTooLong, match="longer than 10 bytes"):
        [splitter.feed(chunk) for chunk in chunks]


def test_the_limit_holds_for_each_line_not_for_the_stream() -> None:
    splitter = LineSplitter(limit=10)
    assert splitter.feed(b"0123456789\n0123456789\n") == [b"0123456789"] * 2
