"""Faults on demand: a command that fails, hangs, or prints garbage, a number of times.

`faults.json` in the Mac's directory holds a list of objects with `command`, `action` (fail, hang or garbage), `when`
(before or after) and, as they apply, `code`, `message`, `seconds` and `times`. `command` is the beginning of the
command line without options (`registry pull`) or `*`; `after` lets the command do its work first. `times` counts
down; without it a fault stays.
"""

from __future__ import annotations

import os

from anka_sim.mac.store import read_json, write_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from anka_sim.mac.store import MacStore

ACTIONS = ("fail", "hang", "garbage")


def _path(home: str) -> str:
    return os.path.join(home, "faults.json")


def add(store: MacStore, fault: dict[str, Any]) -> None:
    assert store.path is not None
    with store.lock():
        write_json(_path(store.path), [*(read_json(_path(store.path)) or []), fault])


def clear(store: MacStore) -> None:
    assert store.path is not None
    with store.lock():
        write_json(_path(store.path), [])


def take(store: MacStore, words: list[str]) -> dict[str, Any] | None:
    """The fault of this command, counted down; None when there is none."""
    if store.path is None or not os.path.exists(_path(store.path)):
        return None
    words = _without_options(words)
    with store.lock():
        faults: list[dict[str, Any]] = read_json(_path(store.path)) or []
        for fault in faults:
            wanted = fault["command"].split()
            if wanted != ["*"] and words[: len(wanted)] != wanted:
                continue
            if fault.get("times") is not None:
                fault["times"] -= 1
                write_json(_path(store.path), [other for other in faults if other.get("times") != 0])
            return fault
    return None


def _without_options(words: list[str]) -> list[str]:
    """The words without the options of `registry` before its own command, such as `--remote URL`."""
    if words[:1] != ["registry"]:
        return words
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        alone = rest[0] in ("-k", "--insecure", "--list") or "=" in rest[0]
        rest = rest[1 if alone else 2 :]
    return ["registry", *rest]
