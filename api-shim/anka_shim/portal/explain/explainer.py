"""Asks the scheduler, beside the loop that answers CI: in a thread, one question at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from anka_crds.api import AnkaInstance
from anka_runtime.clock import Clock
from anka_scheduler.explain import Explanation, build_input, explain
from anka_scheduler.queue import QueuedInstance, to_queued
from anka_scheduler.score import Placement
from anka_scheduler.shape import is_pending
from anka_shim.failure import Failure
from anka_shim.store.caches import Stores

MOST_QUESTIONS = 16
"""Questions at a time, with the one that is being answered; more are refused."""


class Explainer:
    """`placement`: the operator's. `enforces_permissions`: instances run only where their permission group may
    start them."""

    def __init__(
        self, stores: Stores, clock: Clock, placement: Placement, *, enforces_permissions: bool = False
    ) -> None:
        self._stores = stores
        self._clock = clock
        self._placement = placement
        self._enforces_permissions = enforces_permissions
        self._thread = ThreadPoolExecutor(1, "explain")
        self._open = 0

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def explain(self, instance: AnkaInstance) -> Explanation:
        """Where it would run if it were decided now: in its place in the queue, or the place of one created now. Raises
        Failure if too many ask."""
        if self._open >= MOST_QUESTIONS:
            raise Failure("too many questions at a time: try again", code=503, retry_after=2)
        self._open += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._question(instance))
        finally:
            self._open -= 1

    def _question(self, instance: AnkaInstance) -> Callable[[], Explanation]:
        """The objects are those of this moment: the thread sees no change of a cache."""
        nodes, templates = tuple(self._stores.nodes), tuple(self._stores.templates)
        groups, instances = tuple(self._stores.groups), tuple(self._stores.instances)
        owners = tuple(self._stores.permission_groups) if self._enforces_permissions else None
        now = self._clock.now()

        def answer() -> Explanation:
            known = build_input(
                nodes=nodes,
                templates=templates,
                groups=groups,
                instances=instances,
                placement=self._placement,
                permission_groups=owners,
            )
            if is_pending(instance) and known.queue.remove(instance.metadata.uid):
                return explain(instance, known, to_queued(instance))
            return explain(instance, known, QueuedInstance(instance.spec.priority, now, ""))

        return answer
