"""Tasks that live no longer than the ``async with`` block that needs them."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol, Self, TypeVar

L = TypeVar("L")
Listener = TypeVar("Listener", contravariant=True)


class ChangeSource(Protocol[Listener]):
    """What tells listeners of its changes."""

    def subscribe(self, listener: Listener, /) -> Callable[[], None]:
        """Returns a function that ends this."""


class Background(ABC):
    """A loop. Subclasses implement `run`; leaving the block cancels it and waits for its end."""

    _task: asyncio.Task[None] | None = None
    _ends: tuple[Callable[[], None], ...] = ()

    @property
    @abstractmethod
    def task_name(self) -> str:
        """Name of the task, for debugging."""

    @abstractmethod
    async def run(self) -> None:
        """Work until cancelled."""

    def follow(self, source: ChangeSource[L], listener: L) -> None:
        """Call `listener` for every change from now on, until the block ends: what outlives the block must not keep on
        calling those that have ended."""
        self._ends = (*self._ends, source.subscribe(listener))

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run(), name=self.task_name)
        return self

    async def __aexit__(self, *_: object) -> None:
        for end in self._ends:
            end()
        self._ends = ()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None


@asynccontextmanager
async def child_tasks(*work: Coroutine[Any, Any, Any]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Run these beside the block. At its end, those that still run are cancelled and awaited. Their errors are dropped:
    the block must await what may fail."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
