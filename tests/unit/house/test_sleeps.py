"""Unit tests do not sleep and hope."""

from __future__ import annotations

import textwrap

import pytest

from support import sleeps


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("async def f():\n    await asyncio.sleep(0)\n", []),
        ("async def f():\n    await asyncio.sleep(0.1)\n", [("f", 2)]),
        ("def f(t):\n    time.sleep(t)\n", [("f", 2)]),
        ("def f():\n    while x():\n        time.sleep(0.1)\n", [("f", 3)]),
        ("def f(end):\n    while x():\n        assert time.monotonic() < end\n        time.sleep(0.1)\n", []),
        (
            """\
            async def f():
                async with asyncio.timeout(5):
                    while x():
                        await asyncio.sleep(0.1)
            """,
            [],
        ),
        ("def f():\n    run('import time; time.sleep(60)')\n", []),
        ("def f(self):\n    self.clock.sleep(3)\n", []),
    ],
    ids=["yields", "hopes", "hopes too", "for ever", "deadline", "timeout", "fake command", "handed in"],
)
def test_find_sleeps(source: str, found: list[tuple[str, int]]) -> None:
    assert list(sleeps.find_sleeps(textwrap.dedent(source))) == found


def test_no_unit_test_sleeps_and_hopes() -> None:
    """Wait for an event, or poll with a look at the clock; what must sleep is listed with its reason."""
    allowed = sleeps.allowed()
    bare = [f"{file}:{line}" for file, function, line in sleeps.bare_sleeps() if f"{file}::{function}" not in allowed]
    assert bare == []


def test_every_exception_is_one() -> None:
    sleeping = {f"{file}::{function}" for file, function, _ in sleeps.bare_sleeps()}
    assert sleeps.allowed().keys() - sleeping == set(), "these do not sleep any more, or are gone"
