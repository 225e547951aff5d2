"""Messages of the agent's logs are constant texts: what others said is in the arguments, where secrets are covered."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from anka_dev.repository import ROOT

METHODS = {"debug": 0, "info": 0, "warning": 0, "error": 0, "exception": 0, "critical": 0, "log": 1}
FOLDERS = ("agent/anka_agent", "lib", "crds")


def find_variable_messages(source: str) -> Iterator[int]:
    """Lines of calls of `log` whose message is neither a text nor a constant's name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called, place = node.func, METHODS.get(node.func.attr)
            if place is None or not (isinstance(called.value, ast.Name) and called.value.id == "log"):
                continue
            if not is_constant(node.args[place]):
                yield node.lineno


def is_constant(text: ast.expr) -> bool:
    if isinstance(text, ast.IfExp):
        return is_constant(text.body) and is_constant(text.orelse)
    return isinstance(text, ast.Constant) or (isinstance(text, ast.Name) and text.id.isupper())


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        ('log.info("a %s", b)', False),
        ("log.error(GONE)", False),
        ('log.info("saved" if done else "not saved")', False),
        ("log.info(text)", True),
        ('log.info(f"a {b}")', True),
        ('log.log(level, "a" + b)', True),
        ("log.warning(str(error))", True),
    ],
)
def test_the_rule(call: str, wrong: bool) -> None:
    assert bool(list(find_variable_messages(call))) is wrong


@pytest.mark.parametrize("folder", FOLDERS)
def test_messages_are_constant(folder: str) -> None:
    files: list[Path] = [*(ROOT / folder).rglob("*.py")]
    assert files
    found = [f"{file.relative_to(ROOT)}:{line}" for file in files for line in find_variable_messages(file.read_text())]
    assert found == []
