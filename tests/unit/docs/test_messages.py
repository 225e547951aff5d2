"""Messages that the pages for operators quote are messages of the product, so that who searches for one finds it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from anka_dev.repository import ROOT

PAGES = sorted((ROOT / "docs" / "operate").rglob("*.md"))
QUOTED = re.compile(r"`([a-z][a-z ,:']*(?: [a-z,:']+){2,})(?: …)?`")
COMMANDS = {"anka", "kubectl"}


@cache
def read_texts() -> str:
    """Every text in the product's code; what is put into one is left out."""
    trees = (
        ast.parse(path.read_text())
        for room in ("crds", "lib", "operator", "agent", "api-shim")
        for path in (ROOT / room).rglob("*.py")
    )
    nodes = (node for tree in trees for node in ast.walk(tree))
    return "\n".join(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def find_quotes(page: str) -> Iterator[str]:
    """Three words and more, in lower case."""
    for quote in QUOTED.findall(page):
        if quote.split()[0] not in COMMANDS:
            yield quote.rstrip(" :")


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("The log has `leadership is lost: standing by`.", ["leadership is lost: standing by"]),
        ("`cannot listen on …`, `not so`", ["cannot listen on"]),
        ("`kubectl get lease`, `kubectl get a lease`", []),
    ],
)
def test_what_a_quote_is(page: str, found: list[str]) -> None:
    assert list(find_quotes(page)) == found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_messages_exist(page: Path) -> None:
    assert [quote for quote in find_quotes(page.read_text()) if quote not in read_texts()] == []


def test_pages_quote_messages() -> None:
    assert len([quote for page in PAGES for quote in find_quotes(page.read_text())]) > 5
