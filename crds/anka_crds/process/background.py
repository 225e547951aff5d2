"""A loop that runs in the background while its owner is in an ``async with`` block."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Background(ABC):
    """Subclasses say what `run` does, for ever; leaving the block cancels it and waits for its end."""

    _task: asyncio.Task[None] | None = None

    @property
    @abstractmethod
    def task_name(self) -> str:
        """Name of the task, for people who debug."""

    @abstractmethod
    async def run(self) -> None:
        """Work until cancelled."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run(), name=self.task_name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
