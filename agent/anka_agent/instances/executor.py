"""Does the step that was decided for an instance."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from anka_agent.anka.vm import Vm
from anka_agent.instances.interruption import Interruption
from anka_agent.instances.reporter import InstanceReporter
from anka_agent.jobs.scripts import ScriptJob
from anka_agent.mac.start_backoff import StartBackoff
from anka_agent.plan.decide import REPORTS, Decision, Step
from anka_agent.plan.naming import source_of
from anka_agent.saves.saver import Saver
from anka_agent.steps.save import StepSet
from anka_crds.api import AnkaInstance, Phase
from anka_runtime.background import child_tasks
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

TERMINATING_SECONDS = 5.0
"""A removal that takes longer shows as phase Terminating."""
IDLE_SECONDS = 2.0
"""Pause after a report with nothing to write."""

VmStep = Callable[[AnkaInstance, Vm], Awaitable[None]]


@dataclass(eq=False)
class InstanceExecutor:
    """Steps of one instance. `execute` raises AnkaError, ApiError and StepFailed; cancelling it is safe."""

    _steps: StepSet
    _saver: Saver
    _reporter: InstanceReporter
    _script: ScriptJob
    _interruption: Interruption
    _clock: Clock
    _starts: StartBackoff
    pulled: bool = field(default=False, init=False)
    """Whether this process has pulled the template for it: what the Mac then holds is what it is made from."""
    configured: bool = field(default=False, init=False)
    """Whether this process has applied the options of the spec."""
    _has_just_started: bool = field(default=False, init=False)
    """Whether this process has started its VM, which has still to show that it has a network."""
    _removing_since: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        steps, script = self._steps.instance, self._script
        self._on_instance: dict[Step, Callable[[AnkaInstance], Awaitable[None]]] = {
            Step.PULL: self._pull,
            Step.CLONE: steps.clone,
            Step.AWAIT_SCRIPT: lambda instance: script.wait(),
            Step.RELEASE_FINALIZER: self._release,
        }
        self._on_vm: dict[Step, VmStep] = {
            Step.CONFIGURE: self._configure,
            Step.START: self._start,
            Step.RESTART: self._restart,
            Step.GROW_CONTAINER: steps.grow_container,
            Step.AWAIT_NETWORK: lambda instance, vm: steps.await_network(vm),
            Step.RUN_SCRIPT: steps.run_script,
            Step.STOP: self._stop,
            Step.DELETE: self._delete,
        }

    async def execute(self, decision: Decision, instance: AnkaInstance, vm: Vm | None, last: Vm | None) -> None:
        """`last`: the VM as it was when it last existed."""
        step = decision.step
        if step in REPORTS:
            if step is Step.REPORT_STARTED and self._has_just_started:
                self._has_just_started = False
                await self._starts.note_success(source_of(instance))
            if not await self._reporter.report(decision, instance, vm, last):
                # Readers would see no difference; wait for what the decision was based on to change.
                await self._interruption.pause(IDLE_SECONDS)
        elif step in self._on_instance:
            await self._on_instance[step](instance)
        elif vm is not None:
            await self._on_vm[step](instance, vm)

    async def close(self) -> None:
        """Wait for a release of the object that is in progress."""
        await self._reporter.close()

    async def _pull(self, instance: AnkaInstance) -> None:
        doubt = await self._steps.instance.pull(instance)
        self.pulled = True
        self._reporter.note_doubt(doubt)

    async def _configure(self, instance: AnkaInstance, vm: Vm) -> None:
        await self._steps.instance.configure(instance, vm)
        self.configured = True

    async def _start(self, instance: AnkaInstance, vm: Vm) -> None:
        await self._steps.power.start(instance, vm)
        if instance.status.phase not in (Phase.SCHEDULING, Phase.PULLING, Phase.PUSHING):
            self._steps.power.record_restart(instance)
        self._note_start(vm)

    async def _restart(self, instance: AnkaInstance, vm: Vm) -> None:
        await self._steps.power.restart(instance, vm)
        self._note_start(vm)

    def _note_start(self, vm: Vm) -> None:
        self._has_just_started = True
        self._reporter.note_start()
        log.info("VM started", extra={"vm": vm.name})

    async def _stop(self, instance: AnkaInstance, vm: Vm) -> None:
        self._script.cancel()
        self._saver.cancel()
        await self._remove(instance, self._steps.power.stop(vm))

    async def _delete(self, instance: AnkaInstance, vm: Vm) -> None:
        self._saver.cancel()
        await self._remove(instance, self._steps.power.delete(instance, vm))

    async def _release(self, instance: AnkaInstance) -> None:
        await self._saver.conclude(instance)
        await self._reporter.release(instance)

    async def _remove(self, instance: AnkaInstance, work: Coroutine[Any, Any, None]) -> None:
        """A part of the removal of a deleted instance; the status says so when all parts together take long."""
        if not self._interruption.deleting.is_set():
            await work
            return
        if self._removing_since is None:
            self._removing_since = self._clock.monotonic()
        left = self._removing_since + TERMINATING_SECONDS - self._clock.monotonic()
        async with child_tasks(work) as (task,):
            done, _ = await asyncio.wait([task], timeout=max(0.0, left))
            if not done:
                await self._reporter.report_terminating(instance.metadata.uid, "The VM is being removed")
            await task
