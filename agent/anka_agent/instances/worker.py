"""Brings one instance to what its spec asks for: observe, plan, execute, until there is nothing left to do."""

import asyncio
import logging
from dataclasses import dataclass, field

from anka_agent.anka.errors import AgentFault, AnkaError
from anka_agent.anka.vm import Vm
from anka_agent.instances.executor import InstanceExecutor
from anka_agent.instances.interruption import Interrupted, Interruption
from anka_agent.instances.observer import VmObserver, VmState, state_of
from anka_agent.instances.planner import InstancePlanner, build_situation
from anka_agent.instances.recovery import CheckMac, Recovery, is_report
from anka_agent.instances.reporter import InstanceReporter
from anka_agent.jobs.journal import Journal
from anka_agent.mac.mac_host import MacHost
from anka_agent.node.view import NodeView
from anka_agent.plan.decide import Decision
from anka_agent.plan.failures import StepFailed
from anka_agent.plan.situation import InstanceFailure, Situation
from anka_agent.saves.queue import SaveQueue, SaveTask
from anka_agent.saves.saver import Saver, SaveReporter
from anka_agent.steps.save import StepSet
from anka_crds.api import AnkaInstance, SaveImage
from anka_crds.api.meta import REQUESTED_BY
from anka_crds.rules.naming import instance_id
from anka_kube.cached_client import CachedClient
from anka_kube.errors import ApiError
from anka_kube.resource import Key
from anka_kube.store import Store
from anka_kube.writer import Fence
from anka_runtime import logs
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)


@dataclass(eq=False)
class InstanceWorker:
    """One instance, from its first sight to its end. `wake` may come at any time: each round looks at everything."""

    key: Key
    uid: str
    _store: Store[AnkaInstance]
    _interruption: Interruption
    _observer: VmObserver
    _planner: InstancePlanner
    _saver: Saver
    _executor: InstanceExecutor
    _recovery: Recovery
    _fence: Fence
    settled: VmState | None = field(default=None, init=False)
    """State of the VM the last time that nothing was left to do."""
    steps: int = field(default=0, init=False)
    """How many have begun."""
    is_busy: bool = field(default=False, init=False)
    """Whether one is being done."""
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        self._woken.set()
        self._task = asyncio.create_task(self._run(), name=f"instance {self.key[0]}/{self.key[1]}")

    def wake(self) -> None:
        self._find_instance()
        self._woken.set()

    def wake_for_save(self, *, ended: bool) -> None:
        """`ended`: a request to save the instance was deleted or has finished."""
        if ended:
            self._saver.interrupt()
        self._woken.set()

    def fail(self, failure: InstanceFailure) -> None:
        """Something else has found that the instance cannot go on: what the failure calls for is done next."""
        if self._planner.failure is None:
            self._planner.failure = failure
            self._woken.set()

    async def stop(self) -> None:
        """Stop at once; work begun on the Mac is picked up again later."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._executor.close()

    @property
    def alive(self) -> bool:
        return self._task is not None and not self._task.done()

    def _find_instance(self) -> AnkaInstance | None:
        instance = self._store.by_uid(self.uid)
        if instance is not None and instance.metadata.deletion_timestamp is not None:
            self._interruption.deleting.set()
        return instance

    async def _run(self) -> None:
        name, known_as = f"{self.key[0]}/{self.key[1]}", instance_id(self.key[1], self.uid)
        with logs.context(instance=name, uid=self.uid, instance_id=known_as, **self._request_fields()):
            while True:
                await self._woken.wait()
                try:
                    await self._reconcile()
                except Exception:
                    # A bug with one instance must neither end its worker nor make it spin.
                    log.exception("instance not handled; trying again")
                    await self._recovery.pause()
                    self._woken.set()

    def _request_fields(self) -> dict[str, str]:
        """Who asked for it, and what they call it: in all lines about it, where that is known."""
        instance = self._store.by_uid(self.uid)
        if instance is None:
            return {}
        fields = {"external_id": instance.spec.external_id, "user": instance.metadata.annotations.get(REQUESTED_BY)}
        return {key: value for key, value in fields.items() if value}

    async def _reconcile(self) -> None:
        """Take steps until nothing is left to do but wait for a change."""
        while True:
            # Whatever has changed until now, this round looks at.
            self._woken.clear()
            instance = self._find_instance()
            if instance is None:
                return
            try:
                vm = await self._observer.observe(instance)
            except AnkaError as error:
                log.warning("the VM cannot be seen: %s; trying again", error)
                await self._recovery.pause()
                continue
            task = self._planner.plan(instance, vm)
            if task is None:
                self.settled = state_of(vm)
                return
            await self._attempt(task, instance, vm)

    async def _attempt(self, task: Decision | SaveTask, instance: AnkaInstance, vm: Vm | None) -> None:
        """One step, and the handling of its failure."""
        self.steps += 1
        self.is_busy = True
        try:
            # This Mac may have slept, and another be in its place by now.
            self._fence()
            await self._execute(task, instance, vm)
        except (Interrupted, StepFailed, AnkaError, ApiError) as error:
            await self._recovery.handle(task, error, instance)
        except Exception as error:
            if is_report(task):
                raise  # nothing would tell of the failure
            log.exception("a step failed by a fault of the agent")
            await self._recovery.handle(task, AgentFault(f"the agent failed: {error!r}"), instance)
        else:
            self._recovery.confirm(task)
        finally:
            self.is_busy = False

    async def _execute(self, task: Decision | SaveTask, instance: AnkaInstance, vm: Vm | None) -> None:
        if isinstance(task, SaveTask):
            log.debug("next step of the save", extra={"step": task.decision.step.value})
            await self._interruption.run(self._saver.do(task, instance, vm))
            return
        log.debug("next step", extra={"step": task.step.value})
        work = self._executor.execute(task, instance, vm, self._observer.last)
        if self._interruption.deleting.is_set():
            # The removal itself is not interrupted by the deletion.
            await work
        else:
            await self._interruption.run(work, seconds=self._planner.seconds_left(task, instance))


@dataclass(frozen=True)
class WorkerFactory:
    """The dependencies that all workers share."""

    instances: CachedClient[AnkaInstance]
    saves: CachedClient[SaveImage]
    mac: MacHost
    node: NodeView
    journal: Journal
    steps: StepSet
    clock: Clock
    fence: Fence
    check_mac: CheckMac

    def create(self, key: Key, uid: str) -> InstanceWorker:
        interruption = Interruption()
        save_queue = SaveQueue(uid, self.saves.store, self.journal)
        save_reporter = SaveReporter(self.instances, self.saves, self.clock)
        saver = Saver(save_queue, self.steps.save, save_reporter, self.clock)
        reporter = InstanceReporter(self.instances, self.journal, self.node, self.clock)
        script = self.journal.script(uid)
        executor = InstanceExecutor(self.steps, saver, reporter, script, interruption, self.clock, self.mac.starts)

        def build(instance: AnkaInstance, vm: Vm | None, failure: InstanceFailure | None) -> Situation:
            templates = self.mac.templates
            return build_situation(
                instance,
                vm,
                templates,
                self.journal,
                pulled=executor.pulled,
                configured=executor.configured,
                host_ip=self.node.host_ip,
                failure=failure,
            )

        planner = InstancePlanner(saver, build, interruption, self.clock)
        observer = VmObserver(self.mac.inventory, self.journal)
        recovery = Recovery(
            self.instances, observer, planner, saver, reporter, interruption, self.mac.starts, self.check_mac
        )
        store = self.instances.store
        return InstanceWorker(key, uid, store, interruption, observer, planner, saver, executor, recovery, self.fence)
