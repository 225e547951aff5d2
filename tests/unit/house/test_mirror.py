"""Each module that decides or drives something has a unit test of its name, where a reader looks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import mirror


@pytest.mark.parametrize(
    ("source", "statements"),
    [
        ("", 0),
        ("x = 1\nclass A:\n    y = 2\n", 0),
        ("def f():\n    '''Says what.'''\n    return 1\n", 1),
        ("def f():\n    if a:\n        b()\n    else:\n        c()\n", 3),
        ("class A:\n    async def f(self):\n        def g():\n            return 1\n        return g\n", 3),
    ],
)
def test_statements_of_the_longest_function(source: str, statements: int) -> None:
    assert mirror.longest_function(source) == statements


def test_a_module_with_logic_needs_a_test_at_the_mirrored_path(tmp_path: Path) -> None:
    logic = "def f():\n" + "    g()\n" * (mirror.MAX_STATEMENTS + 1)
    nodes = tmp_path / "operator" / "anka_operator" / "nodes"
    nodes.mkdir(parents=True)
    (nodes / "heartbeat.py").write_text(logic)
    (nodes / "names.py").write_text("def f():\n    return 1\n")
    missing = ("operator/anka_operator/nodes/heartbeat.py", "tests/unit/operator/nodes/test_heartbeat.py")
    assert list(mirror.untested(tmp_path)) == [missing]

    test = tmp_path / missing[1]
    test.parent.mkdir(parents=True)
    test.touch()
    assert list(mirror.untested(tmp_path)) == []


@pytest.mark.parametrize("package", mirror.PACKAGES)
def test_every_module_with_logic_has_its_test(package: str) -> None:
    excepted = mirror.exceptions()
    missing = {module: test for module, test in mirror.untested() if module.startswith(f"{package}/")}
    assert {test for module, test in missing.items() if module not in excepted} == set()


def test_every_exception_is_one() -> None:
    without = {module for module, _ in mirror.untested()}
    assert mirror.exceptions().keys() - without == set(), "these have a unit test now, or are gone"
    assert all(isinstance(reason, str) and len(reason) > 10 for reason in mirror.exceptions().values())
