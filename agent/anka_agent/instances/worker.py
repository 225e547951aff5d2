"""Brings one instance to what is wanted: look, decide, do, and again until there is nothing to do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from prometheus_client import Counter, Histogram

from anka_agent.anka.errors import AnkaError
from anka_agent.anka.vm import Vm
from anka_agent.instances import failures, look
from anka_agent.instances.actions import Actions, StepFailed
from anka_agent.instances.context import Context, token_of
from anka_agent.plan import report
from anka_agent.plan.decide import Decision, Step, decide
from anka_agent.plan.save import SaveStep
from anka_agent.plan.situation import Failure
from anka_agent.saves.saver import Saver, Turn
from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.meta import FINALIZER
from anka_crds.core.lifetime import LATE, late_words, start_deadline
from anka_crds.core.naming import instance_id
from anka_crds.kube.backoff import Backoff, Delays, system_random
from anka_crds.kube.errors import ApiError, Conflict, Forbidden, Invalid, NotFound
from anka_crds.kube.resource import Key
from anka_crds.process import logs

log = logging.getLogger(__name__)

STEPS = Counter("anka_agent_steps_total", "Steps done for instances", ["step", "outcome"])
REPORT_SECONDS = Histogram(
    "anka_agent_report_started_seconds",
    "From the success of `anka start` to Started in the API, in seconds",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120),
)
TERMINATING_SECONDS = 5.0
"""A removal that takes longer is shown as phase Terminating."""
IDLE_SECONDS = 2.0
REPORTS = frozenset({Step.REPORT_STARTED, Step.REPORT_STOPPED, Step.REPORT_VM, Step.REPORT_ERROR})


class Worker:
    """One instance, from its first sight to its end. `wake` as often as you like: it looks at everything each time."""

    def __init__(self, context: Context, key: Key, uid: str) -> None:
        self.key = key
        self.uid = uid
        self.settled: tuple[str, str] | None = None
        """State of the VM when there was last nothing to do."""
        self._context = context
        self._actions = Actions(context)
        self._saver = Saver(context, self._actions, uid)
        self._job = context.journal.script(uid)
        self._wakened = asyncio.Event()
        self._deleting = asyncio.Event()
        self._uncertain = False
        self._configured = False
        self._failure: Failure | None = None
        self._attempts: dict[Step, int] = {}
        self._delays = Delays(Backoff(base=0.5, cap=30.0), system_random)
        self._removing_since: float | None = None
        self._told_terminating = ""
        self._started_at: float | None = None
        self._last: Vm | None = None
        self._task: asyncio.Task[None] | None = None
        self._releasing: asyncio.Future[None] | None = None

    # For the controller

    def start(self) -> None:
        name = f"instance {self.key[0]}/{self.key[1]}"
        self._wakened.set()
        self._task = asyncio.create_task(self._run(), name=name)

    def wake(self) -> None:
        instance = self._instance()
        if instance is not None and instance.metadata.deletion_timestamp is not None:
            self._deleting.set()
        self._wakened.set()

    def wake_for_save(self, *, ended: bool) -> None:
        """`ended`: a request to save the instance is gone, or came to its end."""
        if ended:
            self._saver.interrupt()
        self._wakened.set()

    async def stop(self) -> None:
        """End at once; what was begun on the Mac is found again later."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._releasing is not None:
            await asyncio.gather(self._releasing, return_exceptions=True)

    @property
    def alive(self) -> bool:
        return self._task is not None and not self._task.done()

    # The loop

    def _instance(self) -> AnkaInstance | None:
        return self._context.store.by_uid(self.uid)

    async def _run(self) -> None:
        instance, known_as = f"{self.key[0]}/{self.key[1]}", instance_id(self.key[1], self.uid)
        with logs.context(instance=instance, uid=self.uid, instance_id=known_as):
            while True:
                await self._wakened.wait()
                self._wakened.clear()
                try:
                    await self._settle()
                except Exception:
                    # A bug with one instance must neither end its worker nor spin.
                    log.exception("instance not handled; trying again")
                    await self._pause(self._delays.next())
                    self._wakened.set()

    async def _settle(self) -> None:
        """Steps until nothing is left to do but wait for a change."""
        while (instance := self._instance()) is not None:
            if instance.metadata.deletion_timestamp is not None:
                self._deleting.set()
            try:
                vm = await self._see(instance)
            except AnkaError as error:
                log.warning("the VM cannot be seen: %s; trying again", error)
                await self._pause(self._delays.next())
                continue
            if (turn := self._save(instance, vm)) is not None:
                if turn.decision.step is SaveStep.NOTHING:
                    self.settled = state_of(vm)
                    return
                await self._do_save(turn, instance, vm)
                continue
            now = look.situation(
                instance,
                vm,
                self._context.templates,
                self._context.journal,
                configured=self._configured,
                failure=self._failure,
            )
            decision = decide(now)
            if decision.step is Step.NOTHING:
                self.settled = state_of(vm)
                return
            if decision.step not in REPORTS and self._failure is None and self._seconds_left(instance) <= 0:
                # What is only to be told did start in time.
                self._fail(Failure(LATE, f"{late_words(instance)} (it was at: {decision.step})"))
                continue
            await self._do(decision, instance, vm)

    def _seconds_left(self, instance: AnkaInstance) -> float:
        """Until its start deadline; infinite when it has none, or has started."""
        deadline = start_deadline(instance)
        return math.inf if deadline is None else (deadline - self._context.clock.now()).total_seconds()

    async def _see(self, instance: AnkaInstance) -> Vm | None:
        """The VM as it is: from the snapshot where that is certain, asked for where it is not."""
        inventory = self._context.inventory
        if not inventory.looked.is_set():
            await inventory.look()
        if self._uncertain:
            await inventory.look()
            self._uncertain = False
        vm = inventory.of(token_of(instance))
        if vm is not None and not vm.detailed and instance.metadata.deletion_timestamp is None:
            vm = await inventory.detail(vm)
        if vm is not None and vm.detailed:
            self._last = vm
        return vm

    async def _do(self, decision: Decision, instance: AnkaInstance, vm: Vm | None) -> None:
        """One step, with what follows from its failure."""
        step = decision.step
        log.debug("next step", extra={"step": step.value})
        if decision.failure is not None:
            # Kept: what is done to the VM now changes what is seen next.
            self._failure = decision.failure
        removing = self._deleting.is_set()
        try:
            left = math.inf if step in REPORTS or self._failure is not None else self._seconds_left(instance)
            work = self._perform(decision, instance, vm)
            await self._interruptibly(work, interruptible=not removing, seconds=left)
        except _Interrupted:
            # What it did until then is unknown.
            self._uncertain = True
            STEPS.labels(step.value, "interrupted").inc()
        except StepFailed as error:
            STEPS.labels(step.value, "failed").inc()
            self._fail(error.failure)
        except AnkaError as error:
            STEPS.labels(step.value, "failed").inc()
            self._uncertain = True
            await self._after_anka_error(step, error)
        except ApiError as error:
            STEPS.labels(step.value, "not written").inc()
            await self._after_api_error(step, error, instance)
        else:
            STEPS.labels(step.value, "done").inc()
            self._delays.reset()

    def _save(self, instance: AnkaInstance, vm: Vm | None) -> Turn | None:
        """What a save wants done; None when nothing is saved, or the instance comes first: it is deleted, or failed."""
        if self._deleting.is_set() or (self._failure is not None and instance.status.phase is not Phase.ERROR):
            return None
        return self._saver.next(instance, vm)

    async def _do_save(self, turn: Turn, instance: AnkaInstance, vm: Vm | None) -> None:
        """One step of a save, with what follows from its failure."""
        step = turn.decision.step
        if step is SaveStep.RESUME:
            # From here on it is the instance's own business: a VM that cannot be started fails the instance.
            await self._do(Decision(Step.START), instance, vm)
            return
        log.debug("next step of the save", extra={"step": step.value})
        try:
            await self._interruptibly(self._saver.do(turn, instance, vm), interruptible=True)
        except _Interrupted:
            self._uncertain = True
        except AnkaError as error:
            self._uncertain = True
            await self._pause(await self._saver.after_anka_error(turn, error))
        except ApiError as error:
            await self._after_api_error(step, error, instance)
        else:
            self._delays.reset()

    async def _perform(self, decision: Decision, instance: AnkaInstance, vm: Vm | None) -> None:
        step = decision.step
        if step is Step.PULL:
            await self._actions.pull(instance)
        elif step is Step.CLONE:
            await self._actions.clone(instance)
        elif step is Step.AWAIT_SCRIPT:
            await self._job.ended()
        elif step is Step.RELEASE_FINALIZER:
            await self._release(instance)
        elif step in REPORTS:
            await self._report(decision, instance, vm)
        elif vm is not None:
            await self._perform_on(step, instance, vm)

    async def _perform_on(self, step: Step, instance: AnkaInstance, vm: Vm) -> None:
        if step is Step.CONFIGURE:
            await self._actions.configure(instance, vm)
            self._configured = True
        elif step is Step.START:
            await self._actions.start(instance, vm)
            self._note_start(instance)
            if instance.status.phase not in (Phase.SCHEDULING, Phase.PULLING, Phase.PUSHING):
                self._actions.restart_done(instance)
        elif step is Step.RESTART:
            await self._actions.restart(instance, vm)
            self._note_start(instance)
        elif step is Step.GROW_CONTAINER:
            await self._actions.grow_container(instance, vm)
        elif step is Step.AWAIT_NETWORK:
            await self._actions.await_network(vm)
        elif step is Step.RUN_SCRIPT:
            await self._actions.run_script(instance, vm, self._job)
        elif step is Step.STOP:
            self._job.cancel()
            self._saver.cancel()
            await self._slowly(instance, self._actions.stop(vm))
        elif step is Step.DELETE:
            self._saver.cancel()
            await self._slowly(instance, self._actions.delete(vm))

    def _note_start(self, instance: AnkaInstance) -> None:
        self._started_at = self._context.clock.monotonic()
        log.info("VM started", extra={"vm": self._actions.name(instance)})

    # Writing

    async def _report(self, decision: Decision, instance: AnkaInstance, vm: Vm | None) -> None:
        now, host_ip = self._context.clock.now(), self._context.node().host_ip
        script = instance.spec.startup_script
        result = self._job.result() if script is not None and script.monitoring else None
        if decision.step is Step.REPORT_ERROR and decision.failure is not None:
            if vm is None and instance.status.vm is None and self._last is not None:
                # Deleted before it was ever told: what it was stays visible.
                vm = replace(self._last, status="deleted", ip=None, ports=())
            status = report.failed(instance, decision.failure, vm, host_ip=host_ip, now=now, script=result)
        elif decision.step is Step.REPORT_STARTED and vm is not None:
            done = look.restarted(instance, self._context.journal)
            if done is None and instance.status.started_at is None:
                # It came with the manifest: this start is the restart.
                done = instance.spec.restarted_at
            status = report.started(instance, vm, host_ip=host_ip, now=now, script=result, restarted_at=done)
        elif decision.step is Step.REPORT_STOPPED and vm is not None:
            status = report.stopped(instance, vm, host_ip=host_ip, now=now)
        else:
            status = report.vm_part(instance, vm, host_ip=host_ip, now=now)
        if not report.changes(instance.status.to_api(), status):
            # Nothing that readers would see; look again when something can have changed.
            await self._pause(IDLE_SECONDS)
            return
        await self._context.writer.patch_status(instance, status, guarded=True)
        if decision.step is Step.REPORT_STARTED:
            self._told_started()
        elif decision.failure is not None:
            log.warning("instance failed: %s", decision.failure.message, extra={"reason": decision.failure.reason})

    def _told_started(self) -> None:
        if self._started_at is None:
            log.info("instance is Started; its VM ran already")
            return
        seconds = self._context.clock.monotonic() - self._started_at
        self._started_at = None
        REPORT_SECONDS.observe(seconds)
        log.info("instance is Started", extra={"after_start_ms": round(seconds * 1000)})

    async def _release(self, instance: AnkaInstance) -> None:
        """Let the object go: the VM is gone."""
        await self._saver.conclude(instance)
        # First our own memory: after the object is gone nobody asks for it.
        await asyncio.to_thread(self._context.journal.forget, self.uid)
        self._releasing = asyncio.ensure_future(self._write_release(instance))
        # The watch may tell that the object is gone before the answer to this write is here, and end this worker: a
        # request cut off then would count as failed in the apiserver, and nobody would say that it was done.
        await asyncio.shield(self._releasing)

    async def _write_release(self, instance: AnkaInstance) -> None:
        left = [name for name in instance.metadata.finalizers if name != FINALIZER]
        await self._context.writer.patch(instance, {"metadata": {"finalizers": left}}, guarded=True)
        log.info("VM removed, instance released")

    async def _slowly(self, instance: AnkaInstance, removal: Coroutine[Any, Any, None]) -> None:
        """A part of the removal; says so when the whole takes long."""
        if not self._deleting.is_set():
            await removal
            return
        if self._removing_since is None:
            self._removing_since = self._context.clock.monotonic()
        task = asyncio.ensure_future(removal)
        try:
            left = self._removing_since + TERMINATING_SECONDS - self._context.clock.monotonic()
            done, _ = await asyncio.wait([task], timeout=max(0.0, left))
            if not done:
                await self._tell_terminating("The VM is being removed")
            await task
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])

    async def _tell_terminating(self, message: str) -> None:
        instance = self._instance()
        if instance is None or self._told_terminating == message:
            return
        status = report.terminating(instance, message, self._context.clock.now())
        try:
            await self._context.writer.patch_status(instance, status, guarded=True)
            self._told_terminating = message
        except ApiError as error:
            log.debug("Terminating not written: %s", error)

    # Failing

    def _fail(self, failure: Failure) -> None:
        self._failure = failure

    async def _after_anka_error(self, step: Step, error: AnkaError) -> None:
        attempt = self._attempts[step] = self._attempts.get(step, 0) + 1
        if self._deleting.is_set():
            # Deleting never gives up: as long as the VM may be there, the instance is.
            log.warning("removal failed: %s; trying again", error)
            if attempt >= failures.ATTEMPTS:
                await self._tell_terminating(f"The VM cannot be removed yet: {error}")
            await self._pause(failures.delay(attempt))
        elif self._failure is not None:
            # What was to happen to the VM of a failed instance fails as well: tell what there is to tell.
            if attempt >= failures.ATTEMPTS:
                self._fail(Failure(self._failure.reason, f"{self._failure.message}; then {error}", "Keep"))
            else:
                await self._pause(failures.delay(attempt))
        elif failures.worth_another_try(step, error, attempt):
            log.warning("%s failed: %s; trying again", step.value, error, extra={"attempt": attempt})
            await self._pause(failures.delay(attempt))
        else:
            self._fail(failures.failure(step, error))

    async def _after_api_error(self, step: Step | SaveStep, error: ApiError, instance: AnkaInstance) -> None:
        """The write did not land: read again what there is now, or wait; then decide anew."""
        if isinstance(error, Conflict | NotFound):
            await self._read_again(instance)
            return
        loud = isinstance(error, Forbidden | Invalid)
        log.log(logging.ERROR if loud else logging.WARNING, "%s: %s; trying again", step.value, error)
        await self._pause(self._delays.next(error.retry_after))

    async def _read_again(self, instance: AnkaInstance) -> None:
        try:
            fresh = await self._context.client.get(
                self._context.store.resource, instance.metadata.name, instance.metadata.namespace
            )
        except NotFound:
            self._context.store.apply_deleted(instance)
        except ApiError as error:
            log.warning("the instance cannot be read: %s; trying again", error)
            await self._pause(self._delays.next(error.retry_after))
        else:
            if fresh.metadata.uid != self.uid or fresh.status.node_name != instance.status.node_name:
                # Ours no longer: the watch will say the same.
                self._context.store.apply_deleted(instance)
            elif not self._context.store.apply_written(fresh):
                # The cache has seen something newer meanwhile, or is about to.
                await self._pause(0.05)

    # Waiting

    async def _pause(self, seconds: float) -> None:
        """Wait, but not beyond the moment at which the instance is deleted."""
        if self._deleting.is_set():
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._deleting.wait()

    async def _interruptibly(
        self, work: Coroutine[Any, Any, None], *, interruptible: bool, seconds: float = math.inf
    ) -> None:
        """Do it; deletion of the instance ends it at once, unless it is part of the removal. So does the deadline,
        which is `seconds` away."""
        if not interruptible:
            await work
            return
        task = asyncio.ensure_future(work)
        deleted = asyncio.ensure_future(self._deleting.wait())
        try:
            timeout = None if math.isinf(seconds) else max(0.0, seconds)
            await asyncio.wait([task, deleted], return_when=asyncio.FIRST_COMPLETED, timeout=timeout)
            if not task.done():
                raise _Interrupted
            await task
        finally:
            for pending in (task, deleted):
                if not pending.done():
                    pending.cancel()
            await asyncio.wait([task, deleted])


class _Interrupted(Exception):
    pass


def state_of(vm: Vm | None) -> tuple[str, str] | None:
    """What of a VM, as `list` shows it, can require a step."""
    return None if vm is None else (vm.uuid, vm.status)
