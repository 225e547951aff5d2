"""Takes the samples."""

import asyncio
from collections.abc import Callable

from anka_runtime.background import Background
from anka_runtime.clock import Sleep
from anka_shim.portal.history.recorder import USAGE_SECONDS, HistoryRecorder
from anka_shim.portal.history.samples import STEP_SECONDS


class HistorySampler(Background):
    """`missing_caches`: None once the caches are read: before that, there is nothing to count."""

    task_name = "history"

    def __init__(
        self,
        recorder: HistoryRecorder,
        missing_caches: Callable[[], str | None],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._recorder = recorder
        self._missing_caches = missing_caches
        self._sleep = sleep

    async def run(self) -> None:
        left = 0
        while True:
            if self._missing_caches() is None:
                self._recorder.take_sample()
                if left <= 0:
                    self._recorder.take_usages()
                    left = USAGE_SECONDS
                left -= STEP_SECONDS
            await self._sleep(STEP_SECONDS)
