"""Deletion of instances that must not exist: their request failed as a whole, or their creation's outcome is unknown.

They are deleted in the background, again and again until the API has confirmed it: an instance that no client knows of
would run for ever. A creation without an answer may still be on its way, so "not found" counts only after a while.
"""

import asyncio
import logging
from collections.abc import Iterable

from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES
from anka_kube.client import KubeClient
from anka_kube.errors import AlreadyExists, ApiError, Conflict, NotFound, ServerError, Unreachable
from anka_kube.store import Store
from anka_runtime.backoff import Backoff, Delays, Random, system_random
from anka_runtime.clock import Sleep
from anka_shim import metrics
from anka_shim.annotations import ATTEMPT
from anka_shim.vm.idempotency_key import TAKEN_BACK, attempt_of

log = logging.getLogger(__name__)

BACKOFF = Backoff(base=2.0, cap=60.0)
"""Delays between tries, which go on for ever while the API is away."""

ABSENT_AFTER = 90.0
"""Seconds after which an object that was never seen was never created: the apiserver's own limit is 60."""


def may_exist(error: ApiError) -> bool:
    """Whether the object may exist although its creation failed."""
    if isinstance(error, Unreachable | ServerError):
        return not error.surely_not_applied
    # Unparsable: it was made, only its answer is unreadable. AlreadyExists: our own repeat met our own object.
    return error.status == 0 or isinstance(error, AlreadyExists)


class Rollback:
    """Deletes by name in the background; `close` ends what is still running."""

    def __init__(
        self,
        client: KubeClient,
        store: Store[AnkaInstance],
        *,
        sleep: Sleep = asyncio.sleep,
        chance: Random = system_random,
    ) -> None:
        self._client = client
        self._store = store
        self._sleep = sleep
        self._chance = chance
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, namespace: str, created: Iterable[str], unknown: Iterable[str], *, attempt: str = "") -> None:
        """`created`: certainly exist. `unknown`: may exist, now or soon. With `attempt`, only what that attempt made
        and no repeat of the request has taken over is removed."""
        for name, surely in [*((name, True) for name in created), *((name, False) for name in unknown)]:
            metrics.UNDONE.inc()
            task = asyncio.create_task(self._delete(namespace, name, surely, attempt), name=f"undo {name}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self, seconds: float) -> None:
        """Give running deletions this long to finish; the rest is logged, by name."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(self._tasks, timeout=seconds)
        for task in left:
            log.error("stopped before this was done, check for the instance: %s", task.get_name())
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _delete(self, namespace: str, name: str, surely: bool, attempt: str) -> None:
        delays = Delays(BACKOFF, self._chance)
        waited = 0.0
        while True:
            try:
                uid = await self._take_back(namespace, name, attempt) if attempt else None
                if attempt and uid is None:
                    return
                left = await self._client.delete(INSTANCES, name, namespace, uid=uid)
            except NotFound:
                if surely or waited >= ABSENT_AFTER:
                    return
            except ApiError as error:
                log.warning("cannot remove instance %s of a failed request yet: %s", name, error)
            else:
                if left is not None:
                    self._store.apply_written(left)
                return
            delay = delays.next()
            waited += delay
            await self._sleep(delay)

    async def _take_back(self, namespace: str, name: str, attempt: str) -> str | None:
        """Mark it, so that no repeat can take it over, and return its uid; None if it is not ours, or a repeat already
        has it."""
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
