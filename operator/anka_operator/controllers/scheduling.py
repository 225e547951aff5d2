"""Gives waiting instances their nodes: decides from memory, binds concurrently, believes only what the API confirms."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from types import TracebackType

from anka_crds.api import AnkaInstance
from anka_crds.api.meta import FINALIZER
from anka_crds.kube.errors import ApiError, Conflict, NotFound
from anka_crds.kube.kinds import INSTANCES
from anka_crds.process.clock import Clock
from anka_operator import metrics
from anka_operator.cluster import Cluster
from anka_operator.controllers.board import Board
from anka_operator.controllers.loop import MAX_IN_FLIGHT, Controller
from anka_operator.observing.names import TemplateNames
from anka_operator.reconcile.instance import bound, with_finalizer
from anka_operator.scheduler.decide import Binding, decide
from anka_operator.scheduler.reasons import Unscheduled
from anka_operator.scheduler.score import Placement
from anka_operator.scheduler.shape import Shape

log = logging.getLogger(__name__)

BIND_SECONDS = 10.0
"""Longest time that one bind may take, repeats included. Then its outcome is looked up."""
LOOK_UP_SECONDS = 2.0
EXPIRE_SECONDS = 60.0
"""A bind whose outcome stays unknown for this long, while the watch works, never landed: its place is given back."""
DRAIN_SECONDS = 5.0


AroundBind = Callable[[AnkaInstance, str], AbstractAsyncContextManager[None]]
"""Called with an instance and the node that it is about to be given; the bind is made in its block."""


def _nothing(_: AnkaInstance, __: str) -> AbstractAsyncContextManager[None]:
    return nullcontext()


class Scheduling(Controller):
    """`unscheduled`: for each shape that could not be served in the last round, why."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        *,
        registry_url: str | None = None,
        around_bind: AroundBind = _nothing,
        placement: Placement = Placement.SPREAD,
        window: float = 0.01,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        super().__init__("scheduling", clock, window=window, tick=15.0, eager=True)
        self.unscheduled: dict[Shape, Unscheduled] = {}
        self.board = Board(cluster.stores, self.wake, clock.monotonic, placement)
        self._cluster = cluster
        self._names = TemplateNames(cluster.stores.templates)
        self._registry_url = registry_url
        self._around_bind = around_bind
        self._max_in_flight = max_in_flight
        self._reasons: set[str] = set()
        self._binds: set[asyncio.Task[None]] = set()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        self.board.close()
        # Binds under way are finished, not cut: each was decided, and may be in the API already.
        if self._binds:
            _, late = await asyncio.wait(self._binds, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()

    async def run_once(self) -> float | None:
        room = self._max_in_flight - len(self._binds)
        if room <= 0:
            return None  # the end of any bind wakes us
        started = self.clock.monotonic()
        board = self.board
        decisions = decide(board.world(), board.queue, board.ledger, room, patience=board.patience, now=started)
        for binding in decisions.bindings:
            self._start(binding)
        self.unscheduled = {**self._not_answered(len(decisions.bindings) >= room), **decisions.unscheduled}
        metrics.ROUND.observe(self.clock.monotonic() - started)
        self._count()
        return None

    def _not_answered(self, ended_early: bool) -> dict[Shape, Unscheduled]:
        """A round that ended at its limit has not looked at everybody: those who still wait keep their answer."""
        if not ended_early:
            return {}
        waiting = set(self.board.queue.shapes)
        return {shape: why for shape, why in self.unscheduled.items() if shape in waiting}

    def _start(self, binding: Binding) -> None:
        self.board.assume(binding.uid, binding.claim)
        task = asyncio.create_task(self._bind(binding), name=f"bind {binding.uid}")
        self._binds.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._binds.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("bind failed", exc_info=task.exception())
        self.wake()

    async def _bind(self, binding: Binding) -> None:
        """One bind to its end: afterwards the cache knows what became of it, or a later event will tell."""
        try:
            instance = self._cluster.stores.instances.by_uid(binding.uid)
            if instance is not None:
                await self._write(instance, binding)
        except Conflict:
            metrics.CONFLICTS.inc()
            await self._look_up(binding.uid)
        except NotFound:
            await self._look_up(binding.uid)
        except ApiError as error:
            metrics.BIND_FAILURES.labels(error.reason).inc()
            self.report(error)
            await self._look_up(binding.uid)
            # Refused, perhaps for good, or the API is in trouble: not again at once.
            await asyncio.sleep(LOOK_UP_SECONDS)
        finally:
            self.board.settle(binding.uid)

    async def _write(self, instance: AnkaInstance, binding: Binding) -> None:
        if FINALIZER not in instance.metadata.finalizers:
            # Where the cluster has no admission policy for it: never a VM that nobody would have to remove.
            instance = await self._cluster.write.instances.patch(
                instance, {"metadata": {"finalizers": with_finalizer(instance)}}, guarded=True, deadline=BIND_SECONDS
            )
        since = self.board.since.get(binding.uid)
        patch = bound(instance, binding, now=self.clock.now(), registry=self._registry_url)
        async with self._around_bind(instance, binding.node):
            await self._cluster.write.instances.put_status(instance, patch, deadline=BIND_SECONDS)
        metrics.BOUND.inc()
        if since is not None:
            template = self._names.of(instance)
            metrics.WAITED.labels(template).observe(self.clock.monotonic() - since)

    async def _look_up(self, uid: str) -> None:
        """Read the object itself until the API answers: a bind whose answer was lost may have been done, and its
        room must stay taken until that is known, or until the watch had all the time to tell."""
        began = self.clock.monotonic()
        while True:
            known = self._cluster.stores.instances.by_uid(uid)
            if known is None:
                return
            try:
                fresh = await self._cluster.client.get(INSTANCES, known.metadata.name, known.metadata.namespace)
            except NotFound:
                # Gone, or made again: the watch will say so. The old one takes no room any more.
                self._cluster.stores.instances.apply_deleted(known)
                return
            except ApiError as error:
                if self._expired(began):
                    metrics.EXPIRED.inc()
                    log.warning("a bind is given up, its outcome could not be read: %s", error, extra={"uid": uid})
                    return
                self.report(error)
                await asyncio.sleep(LOOK_UP_SECONDS)
                continue
            self._cluster.stores.instances.apply_written(fresh)
            return

    def _expired(self, began: float) -> bool:
        """Without a watch nothing expires: what the API did can't be seen, and it takes no other binds either."""
        silent = INSTANCES.plural in self._cluster.cut_off
        return not silent and self.clock.monotonic() - began >= EXPIRE_SECONDS

    def _count(self) -> None:
        metrics.QUEUE_DEPTH.set(len(self.board.queue))
        metrics.ASSUMED.set(len(self.board.assumed))
        reasons = Counter[str]()
        for shape, why in self.unscheduled.items():
            reasons[why.reason] += len(self.board.queue.line(shape))
        self._reasons |= set(reasons)
        for reason in self._reasons:
            metrics.PENDING.labels(reason).set(reasons[reason])
