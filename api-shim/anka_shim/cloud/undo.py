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
from anka_crds.kube.errors import AlreadyExists, ApiError, Conflict, NotFound, ServerError, Unreachable
from anka_crds.kube.kinds import INSTANCES
from anka_crds.kube.store import Store
from anka_shim.rest import metrics
from anka_shim.translate.once import ATTEMPT, TAKEN_BACK, attempt_of

log = logging.getLogger(__name__)

DELAYS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 60.0)
"""Seconds between the tries; the last goes on for ever while the API is away."""

BELIEVED_AFTER = 90.0
"""Seconds after which an object that was never seen is taken for never made: the apiserver's own limit is 60."""


def may_exist(error: ApiError) -> bool:
    """Whether the object can be there although its creation failed."""
    if isinstance(error, Unreachable | ServerError):
        return not error.surely_not_applied
    # Unparsable: it was made, we only did not understand the answer. AlreadyExists: our own repeat met our own object.
    return error.status == 0 or isinstance(error, AlreadyExists)


Sleep = Callable[[float], Awaitable[None]]


class Undo:
    """Deletes by name in the background; `close` ends what is still going on."""

    def __init__(self, client: KubeClient, store: Store[AnkaInstance], *, sleep: Sleep = asyncio.sleep) -> None:
        self._client = client
        self._store = store
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()

    def start(
        self, namespace: str, created: Iterable[str], unknown: Iterable[str], *, attempt: str | None = None
    ) -> None:
        """`created`: surely there. `unknown`: may be there, now or soon. With `attempt` only what that attempt made,
        and no repeat of the request has taken over, is removed."""
        for name, surely in [*((name, True) for name in created), *((name, False) for name in unknown)]:
            metrics.UNDONE.inc()
            task = asyncio.create_task(self._delete(namespace, name, surely, attempt), name=f"undo {name}")
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

    async def _delete(self, namespace: str, name: str, surely: bool, attempt: str | None) -> None:
        waited = 0.0
        tries = 0
        while True:
            delay = DELAYS[min(tries, len(DELAYS) - 1)]
            tries += 1
            waited += delay
            if delay:
                await self._sleep(delay)
            try:
                uid = None if attempt is None else await self._take_back(namespace, name, attempt)
                if uid is None and attempt is not None:
                    return
                left = await self._client.delete(INSTANCES, name, namespace, uid=uid)
            except NotFound:
                if surely or waited >= BELIEVED_AFTER:
                    return
            except ApiError as error:
                log.warning("cannot remove instance %s of a failed request yet: %s", name, error)
            else:
                if left is not None:
                    self._store.apply_written(left)
                return

    async def _take_back(self, namespace: str, name: str, attempt: str) -> str | None:
        """Mark it, so that no repeat takes it over any more, and give its uid; None when it is not ours, or a repeat
        already has it."""
        while True:
            obj = await self._client.get(INSTANCES, name, namespace)
            if attempt_of(obj) == TAKEN_BACK:
                return obj.metadata.uid
            if attempt_of(obj) != attempt:
                return None
            patch = {"metadata": {"annotations": {ATTEMPT: TAKEN_BACK}}}
            try:
                await self._client.patch(
                    INSTANCES, name, patch, namespace, resource_version=obj.metadata.resource_version
                )
            except Conflict:
                continue
            return obj.metadata.uid
