"""Times of milestones from a watch."""

from __future__ import annotations

from typing import Any

import pytest

from anka_dev.bench.watcher import Watcher
from localkube.errors import DevError


def event(name: str, phase: str, type_: str = "MODIFIED") -> dict[str, Any]:
    return {"type": type_, "object": {"metadata": {"name": name}, "status": {"phase": phase}}}


def ended() -> None:
    raise DevError("the operator ended with code 1")


async def test_the_watcher_keeps_the_first_time_of_each_milestone() -> None:
    watcher = Watcher({"started": lambda raw: bool(raw["status"]["phase"] == "Started")})
    for moment, one in enumerate(
        [event("a", "Scheduling", "ADDED"), event("a", "Started"), event("a", "Started"), event("b", "x", "DELETED")]
    ):
        watcher.take(one, float(moment))
    assert (watcher.made, watcher.times) == ({"a": 0.0}, {"started": {"a": 1.0}})
    await watcher.until("started", 1, 1, lambda: None)
    with pytest.raises(DevError, match=r"1 of 2 were started within 0\.01 s"):
        await watcher.until("started", 2, 0.01, lambda: None)
    with pytest.raises(DevError, match="the operator ended"):
        await watcher.until("started", 2, 0.01, ended)
