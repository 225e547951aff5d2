"""Chains of fallbacks."""

from __future__ import annotations

import pytest

from anka_scheduler.groups import fallback_chain, find_cycle

LINE = {"a": "b", "b": "c", "c": None, "stray": "gone"}
RING = {"x": "y", "y": "z", "z": "y", "self": "self"}


@pytest.mark.parametrize(
    ("group", "fallbacks", "wanted"),
    [
        ("a", LINE, ("a", "b", "c")),
        ("c", LINE, ("c",)),
        ("stray", LINE, ("stray",)),
        ("gone", LINE, ()),
        ("x", RING, ("x", "y", "z")),
        ("self", RING, ("self",)),
    ],
)
def test_chain(group: str, fallbacks: dict[str, str | None], wanted: tuple[str, ...]) -> None:
    assert fallback_chain(group, fallbacks) == wanted


@pytest.mark.parametrize(
    ("group", "fallbacks", "wanted"),
    [
        ("a", LINE, ()),
        ("stray", LINE, ()),
        ("x", RING, ("x", "y", "z", "y")),
        ("y", RING, ("y", "z", "y")),
        ("self", RING, ("self", "self")),
    ],
)
def test_cycle(group: str, fallbacks: dict[str, str | None], wanted: tuple[str, ...]) -> None:
    assert find_cycle(group, fallbacks) == wanted
