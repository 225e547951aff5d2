"""Pages of Markdown and their tables."""

from __future__ import annotations

import pytest

from anka_dev.reference.page import NOTICE, WIDTH, Page, cell, code, sentence, table


def test_a_page() -> None:
    made = Page("Title", ["An introduction."])
    made.section("Part", "", table(("a", "b"), [("1", "")]), level=3)
    assert made.text() == f"{NOTICE}\n\n# Title\n\nAn introduction.\n\n### Part\n\n| a | b |\n| --- | --- |\n| 1 | |\n"


def test_paragraphs_are_wrapped_and_tables_are_not() -> None:
    long = "word " * 60
    lines = Page("T", [long, table(("a",), [(long,)])]).text().splitlines()
    assert max(len(line) for line in lines if not line.startswith("|")) <= WIDTH
    assert max(map(len, lines)) > WIDTH


def test_no_rows_no_table() -> None:
    assert table(("a",), []) == ""


@pytest.mark.parametrize(
    ("text", "expected"), [("a\n  b", "a b"), ("a|b", "a\\|b"), ("", ""), ("`x | y`", "`x \\| y`")]
)
def test_a_cell_is_one_line(text: str, expected: str) -> None:
    assert cell(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a  b", "a b."), ("Done.", "Done."), ("Why?", "Why?"), ("", ""), ("as follows:", "as follows:")],
)
def test_a_sentence_ends_with_a_full_stop(text: str, expected: str) -> None:
    assert sentence(text) == expected


def test_code() -> None:
    assert (code(20), code("")) == ("`20`", "")
