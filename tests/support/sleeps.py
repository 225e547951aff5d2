"""Sleeps in unit tests that only hope to be long enough. A test waits for an event, or polls until a deadline."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "tests" / "unit"
ALLOWED = ROOT / "tests" / "data" / "sleeps-in-unit-tests.yaml"
_MODULES = {"asyncio", "time"}


def find_sleeps(source: str) -> Iterator[tuple[str, int]]:
    """Function and line of each sleep of more than nothing that is not in a polling loop with a deadline."""
    yield from _visit(ast.parse(source), function="", polls=False)


def _visit(node: ast.AST, function: str, polls: bool) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _visit(child, child.name, polls=False)
        elif isinstance(child, ast.While):
            yield from _visit(child, function, polls or _has_deadline(node))
        else:
            if isinstance(child, ast.Call) and _is_sleep(child) and not polls:
                yield function, child.lineno
            yield from _visit(child, function, polls)


def _has_deadline(block: ast.AST) -> bool:
    """Whether the block around the loop looks at the clock, or is one with a timeout."""
    attributes = {node.attr for node in ast.walk(block) if isinstance(node, ast.Attribute)}
    return bool(attributes & {"monotonic", "timeout"})


def _is_sleep(call: ast.Call) -> bool:
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == "sleep"):
        return False
    module, seconds = call.func.value, call.args[0] if call.args else None
    is_nothing = isinstance(seconds, ast.Constant) and seconds.value == 0
    return isinstance(module, ast.Name) and module.id in _MODULES and not is_nothing


@cache
def bare_sleeps() -> Sequence[tuple[str, str, int]]:
    """File, function and line of each in the unit tests."""
    texts = ((str(path.relative_to(ROOT)), path.read_text()) for path in sorted(UNIT.rglob("*.py")))
    return [(file, *found) for file, text in texts if "sleep" in text for found in find_sleeps(text)]


def allowed() -> dict[str, str]:
    """The reason for each ``file::function`` that may sleep."""
    found = yaml.safe_load(ALLOWED.read_text()) or {}
    assert isinstance(found, dict)
    return found


if __name__ == "__main__":
    for file, name, number in bare_sleeps():
        print(f"{file}:{number} {name}")
