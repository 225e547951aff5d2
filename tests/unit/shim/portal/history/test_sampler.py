"""Samples are taken at intervals, once there is something to look at."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from anka_shim.portal.history.recorder import USAGE_SECONDS, HistoryRecorder
from anka_shim.portal.history.sampler import HistorySampler
from anka_shim.portal.history.samples import STEP_SECONDS


class Recorder:
    def __init__(self) -> None:
        self.taken: list[str] = []

    def take_sample(self) -> None:
        self.taken.append("sample")

    def take_usages(self) -> None:
        self.taken.append("usages")


async def test_intervals() -> None:
    recorder, rounds = Recorder(), 0

    async def sleep(seconds: float) -> None:
        nonlocal rounds
        assert seconds == STEP_SECONDS
        rounds += 1
        if rounds > 2 + USAGE_SECONDS // STEP_SECONDS:
            raise asyncio.CancelledError

    sampler = HistorySampler(
        cast(HistoryRecorder, recorder), lambda: "not read yet: nodes" if rounds < 2 else None, sleep
    )
    with pytest.raises(asyncio.CancelledError):
        await sampler.run()
    every = ["sample"] * (USAGE_SECONDS // STEP_SECONDS)
    assert recorder.taken == [every[0], "usages", *every[1:], "sample", "usages"]
