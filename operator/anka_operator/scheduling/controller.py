"""Binds waiting instances to nodes: decides in memory, writes concurrently, trusts only what the API confirms."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress

from anka_crds.api import AnkaInstance
from anka_crds.api.meta import FINALIZER
from anka_crds.resources import INSTANCES
from anka_kube.errors import ApiError, Conflict, NotFound
from anka_operator import metrics
from anka_operator.cluster.access import AnkaCluster
from anka_operator.control_loop import MAX_IN_FLIGHT, ControlLoop
from anka_operator.instances.desired import bind_status, with_finalizer
from anka_operator.metrics import TemplateLabels
from anka_operator.registry_view.view import RegistryView
from anka_operator.scheduling.state import SchedulerState
from anka_runtime.backoff import Random, system_random
from anka_runtime.clock import Clock
from anka_scheduler.decide import Binding, decide
from anka_scheduler.mac_addresses import AddressAllocator
from anka_scheduler.reasons import NO_MAC_ADDRESS, WaitReason
from anka_scheduler.score import Placement
from anka_scheduler.shape import Shape

log = logging.getLogger(__name__)

BIND_SECONDS = 10.0
"""Longest time that one bind may take, including retries. Its outcome is then looked up."""
LOOK_UP_SECONDS = 2.0
EXPIRE_SECONDS = 60.0
"""A bind whose outcome stays unknown for this long while the watch works was never applied: its claim ends."""
DRAIN_SECONDS = 5.0

AroundBind = Callable[[AnkaInstance, str], AbstractAsyncContextManager[None]]
"""Called with an instance and the node that it is about to be bound to; the bind is written inside its block."""


def _no_preparation(_: AnkaInstance, __: str) -> AbstractAsyncContextManager[None]:
    return nullcontext()


class SchedulingController(ControlLoop):
    """`unscheduled`: why the instances of a shape got no node in the last round."""

    def __init__(
        self,
        cluster: AnkaCluster,
        clock: Clock,
        view: RegistryView,
        *,
        registry_url: str | None = None,
        around_bind: AroundBind = _no_preparation,
        placement: Placement = Placement.SPREAD,
        enforces_permissions: bool = False,
        window: float = 0.01,
        max_in_flight: int = MAX_IN_FLIGHT,
        chance: Random = system_random,
    ) -> None:
        super().__init__("scheduling", clock, window=window, tick=15.0, eager=True)
        self.unscheduled: dict[Shape, WaitReason] = {}
        self.state = SchedulerState(
            cluster.stores,
            view,
            self.wake,
            clock.monotonic,
            placement,
            addresses=cluster.addresses,
            enforces_permissions=enforces_permissions,
        )
        self._cluster = cluster
        self._labels = TemplateLabels(cluster.stores.templates)
        self._registry_url = registry_url
        self._around_bind = around_bind
        self._max_in_flight = max_in_flight
        self._chance = chance
        self._reasons: set[str] = set()
        self._binds: set[asyncio.Task[None]] = set()
        self._rested = asyncio.Event()

    async def wait_for_rest(self, seconds: float) -> None:
        """Wait until everything that can be bound is bound, but no longer than this. Then whatever else there is to do
        delays no bind that was due before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rested.wait()

    def _note_rest(self) -> None:
        if not self._binds and not self.state.unconfirmed and not self.is_woken:
            self._rested.set()

    async def __aexit__(self, *details: object) -> None:
        await super().__aexit__(*details)
        self.state.close()
        # Binds in flight are finished, not cancelled: they are decided, and may be in the API already.
        if self._binds:
            _, late = await asyncio.wait(self._binds, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()

    async def run_once(self) -> float | None:
        await self.state.load()
        try:
            return self._decide()
        finally:
            self._note_rest()

    def _decide(self) -> float | None:
        """One round. Returns the seconds until time alone makes a difference."""
        limit = self._max_in_flight - len(self._binds)
        if limit <= 0:
            return None  # the end of any bind wakes this loop
        started, state = self.clock.monotonic(), self.state
        addresses = self._make_allocator(started)
        result = decide(
            state.snapshot(), state.queue, state.ledger, limit, guard=state.guard, addresses=addresses, now=started
        )
        for binding in result.bindings:
            self._start_bind(binding)
        reached_limit = len(result.bindings) >= limit
        self.unscheduled = {**(self._earlier_reasons() if reached_limit else {}), **result.unscheduled}
        metrics.ROUND.observe(self.clock.monotonic() - started)
        self._update_metrics()
        lack = any(why is NO_MAC_ADDRESS for why in result.unscheduled.values())
        return self._cluster.addresses.seconds_to_next(started) if lack else None

    def _make_allocator(self, now: float) -> AddressAllocator | None:
        """None where no MAC addresses are managed. Each round begins at random: two leaders that overlap hardly ever
        choose the same."""
        ledger = self._cluster.addresses
        ledger.end_rests(now)
        return AddressAllocator(ledger, self._chance(), now) if ledger.is_managed else None

    def _earlier_reasons(self) -> dict[Shape, WaitReason]:
        """A round that reached its limit did not get to all shapes: those that still wait keep their reason."""
        waiting = set(self.state.queue.shapes)
        return {shape: why for shape, why in self.unscheduled.items() if shape in waiting}

    def _start_bind(self, binding: Binding) -> None:
        self.state.assume(binding.uid, binding.claim)
        task = asyncio.create_task(self._bind(binding), name=f"bind {binding.uid}")
        self._binds.add(task)
        task.add_done_callback(self._on_bind_done)

    def _on_bind_done(self, task: asyncio.Task[None]) -> None:
        self._binds.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("bind failed", exc_info=task.exception())
        self.wake()

    async def _bind(self, binding: Binding) -> None:
        """One bind to its end: afterwards the store has its outcome, or a later event will bring it."""
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
            # Refused, perhaps for good, or the API is failing: do not try again at once.
            await asyncio.sleep(LOOK_UP_SECONDS)
        finally:
            self.state.settle(binding.uid)

    async def _write(self, instance: AnkaInstance, binding: Binding) -> None:
        if FINALIZER not in instance.metadata.finalizers:
            # Where the cluster has no admission policy that adds it: without it a VM could outlive its instance.
            instance = await self._cluster.write.instances.patch(
                instance, {"metadata": {"finalizers": with_finalizer(instance)}}, guarded=True, deadline=BIND_SECONDS
            )
        since = self.state.waiting_since.get(binding.uid)
        status = bind_status(
            instance,
            binding,
            now=self.clock.now(),
            registry=self._registry_url,
            is_confirmed=self.state.is_confirmed(binding.uid),
        )
        async with self._around_bind(instance, binding.node):
            await self._cluster.write.instances.patch_status(instance, status, guarded=True, deadline=BIND_SECONDS)
        metrics.BOUND.inc()
        if since is not None:
            template = self._labels.of_instance(instance)
            metrics.WAITED.labels(template).observe(self.clock.monotonic() - since)

    async def _look_up(self, uid: str) -> None:
        """Read the object from the API until it answers. A bind whose answer was lost may have been applied: its claim
        must stay until that is known, or until the watch has had enough time to show it."""
        began = self.clock.monotonic()
        store = self._cluster.stores.instances
        while True:
            known = store.by_uid(uid)
            if known is None:
                return
            try:
                fresh = await self._cluster.client.get(INSTANCES, known.metadata.name, known.metadata.namespace)
            except NotFound:
                # Deleted, or created again, which the watch will show. The old object no longer takes up anything.
                store.apply_deleted(known)
                return
            except ApiError as error:
                if self._has_expired(began):
                    metrics.EXPIRED.inc()
                    log.warning("a bind is given up, its outcome could not be read: %s", error, extra={"uid": uid})
                    return
                self.report(error)
                await asyncio.sleep(LOOK_UP_SECONDS)
                continue
            store.apply_written(fresh)
            return

    def _has_expired(self, began: float) -> bool:
        """Nothing expires without a watch: the API's actions are then not visible, and it accepts no other binds."""
        disconnected = INSTANCES.plural in self._cluster.kinds_not_connected
        return not disconnected and self.clock.monotonic() - began >= EXPIRE_SECONDS

    def _update_metrics(self) -> None:
        metrics.QUEUE_DEPTH.set(len(self.state.queue))
        metrics.ASSUMED.set(len(self.state.assumed))
        counts = Counter[str]()
        for shape, why in self.unscheduled.items():
            counts[why.reason] += len(self.state.queue.waiting(shape))
        self._reasons |= set(counts)
        for reason in self._reasons:
            metrics.PENDING.labels(reason).set(counts[reason])
