"""Work for an instance ends at once when the instance is deleted, or its start deadline passes."""

import asyncio
import contextlib
import math
from collections.abc import Coroutine
from typing import Any

from anka_runtime.background import child_tasks


class Interrupted(Exception):
    """The work did not end by itself; what it had done by then is unknown."""


class Interruption:
    """`deleting` is set once the instance is being deleted."""

    def __init__(self) -> None:
        self.deleting = asyncio.Event()

    async def pause(self, seconds: float) -> None:
        """Wait, but not beyond the deletion of the instance; the removal itself pauses in full."""
        if self.deleting.is_set():
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.deleting.wait()

    async def run(self, work: Coroutine[Any, Any, None], *, seconds: float = math.inf) -> None:
        """Do it within `seconds`. Raises Interrupted."""
        async with child_tasks(work, self.deleting.wait()) as (task, deleted):
            timeout = None if math.isinf(seconds) else max(0.0, seconds)
            await asyncio.wait([task, deleted], return_when=asyncio.FIRST_COMPLETED, timeout=timeout)
            if not task.done():
                raise Interrupted
            await task
