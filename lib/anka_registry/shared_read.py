"""One read of the registry for all who ask before it begins: a burst of questions costs one or two requests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from anka_registry.errors import RegistryError

T = TypeVar("T")

LONGEST_PAUSE_SECONDS = 1.0
ENDING = "the process ends"


class SharedRead(Generic[T]):
    """`read` never runs twice at a time. After each run it pauses as long as the run took, and at least
    `pause_seconds`: however many ask, the registry and this process are busy with it for half of the time at most."""

    def __init__(self, read: Callable[[], Awaitable[T]], *, pause_seconds: float) -> None:
        self._read = read
        self._pause_seconds = pause_seconds
        self._next: asyncio.Future[T] | None = None
        self._task: asyncio.Task[None] | None = None

    def ask(self) -> asyncio.Future[T]:
        """The outcome of a read that begins after this call; the caller must not cancel it. It raises what `read`
        raises."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            # An outcome that nobody waits for any longer is no error.
            self._next.add_done_callback(lambda done: done.cancelled() or done.exception())
            if self.is_idle:
                self._task = asyncio.create_task(self._run(), name="shared read")
        return self._next

    @property
    def is_idle(self) -> bool:
        return self._task is None or self._task.done()

    def cancel(self) -> None:
        """Whoever still waits is told why: they are not cancelled themselves."""
        if self._task is not None:
            self._task.cancel()
        if self._next is not None and not self._next.done():
            self._next.set_exception(RegistryError(f"the registry was not asked: {ENDING}"))

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while (asked := self._next) is not None:
            self._next = None
            began = loop.time()
            try:
                result = await self._read()
            except asyncio.CancelledError:
                asked.set_exception(RegistryError(f"the registry has not answered: {ENDING}"))
                raise
            except Exception as error:  # belongs to those who asked
                asked.set_exception(error)
            else:
                asked.set_result(result)
            await asyncio.sleep(min(max(self._pause_seconds, loop.time() - began), LONGEST_PAUSE_SECONDS))
