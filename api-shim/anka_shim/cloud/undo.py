"""Instances that must not be: creations whose request failed as a whole, or whose outcome we never learned.

They are deleted in the background, again and again until the API has confirmed it: an instance that nobody knows of
would run for ever. A creation without an answer may still be on its way, so "not found" is believed only after a while.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from anka_crds.api import AnkaInstance
from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import ApiError, NotFound
from anka_crds.kube.kinds import INSTANCES
from anka_crds.kube.store import Store
from anka_shim.rest import metrics

log = logging.getLogger(__name__)

DELAYS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 60.0)
"""Seconds between the tries; the last goes on for ever while the API is away."""

BELIEVED_AFTER = 90.0
"""Seconds after which an object that was never seen is taken for never made: the apiserver's own limit is 60."""

Sleep = Callable[[float], Awaitable[None]]


class Undo:
    """Deletes by name in the background; `close` ends what is still going on."""

    def __init__(self, client: KubeClient, store: Store[AnkaInstance], *, sleep: Sleep = asyncio.sleep) -> None:
        self._client = client
        self._store = store
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, namespace: str, created: Iterable[str], unknown: Iterable[str]) -> None:
        """`created`: surely there. `unknown`: may be there, now or soon."""
        for name, surely in [*((name, True) for name in created), *((name, False) for name in unknown)]:
            metrics.UNDONE.inc()
            task = asyncio.create_task(self._delete(namespace, name, surely), name=f"undo {name}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self, seconds: float) -> None:
        """Give what is going on this long to finish; what is left is told, by name."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(self._tasks, timeout=seconds)
        for task in left:
            log.error("stopped before this was done, check for the instance: %s", task.get_name())
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _delete(self, namespace: str, name: str, surely: bool) -> None:
        waited = 0.0
        attempt = 0
        while True:
            delay = DELAYS[min(attempt, len(DELAYS) - 1)]
            attempt += 1
            waited += delay
            if delay:
                await self._sleep(delay)
            try:
                left = await self._client.delete(INSTANCES, name, namespace)
            except NotFound:
                if surely or waited >= BELIEVED_AFTER:
                    return
            except ApiError as error:
                log.warning("cannot remove instance %s of a failed request yet: %s", name, error)
            else:
                if left is not None:
                    self._store.apply_written(left)
                return
