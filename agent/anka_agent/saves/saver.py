"""Does the steps of an instance's saves, for its worker, and reports their beginning and outcome."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from anka_agent import metrics
from anka_agent.anka.errors import AnkaError
from anka_agent.anka.vm import Vm
from anka_agent.jobs.save_journal import SaveJournal
from anka_agent.jobs.scripts import ScriptJob
from anka_agent.plan import instance_report as report
from anka_agent.plan import save_report
from anka_agent.plan.failures import SaveFailed, fail_save, is_worth_retrying
from anka_agent.plan.save import SaveFailure, SaveStep
from anka_agent.saves.queue import SaveQueue, SaveTask
from anka_agent.steps.save import SaveSteps, SaveTarget, require_pushed
from anka_crds.api import AnkaInstance, SaveImage
from anka_crds.api.conditions import SaveReason
from anka_kube.cached_client import CachedClient
from anka_kube.errors import Conflict, Forbidden, Invalid, NotFound
from anka_runtime.background import child_tasks
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

CATCH_UP_SECONDS = 0.05
CANCEL_SECONDS = 3.0
"""Longest wait for a job that is cancelled: one that has only just begun does not hear the signal yet."""
DELETED = SaveFailure(
    SaveReason.INSTANCE_DELETED, "the instance was deleted before it was saved", SaveReason.INSTANCE_DELETED
)


class SaveReporter:
    """All methods raise ApiError."""

    def __init__(self, instances: CachedClient[AnkaInstance], saves: CachedClient[SaveImage], clock: Clock) -> None:
        self._instances = instances
        self._saves = saves
        self._clock = clock

    async def report_begin(self, save: SaveImage, journal: SaveJournal, instance: AnkaInstance) -> None:
        """The instance goes to Pushing: it must not be used from now on. Raises OSError as well."""
        # The record comes first: a request that is deleted right after this still leaves a VM to bring back.
        await asyncio.to_thread(journal.write)
        spec = save.spec
        message = f"Being saved as {spec.target_template or spec.new_template_name}:{spec.tag}"
        await self._instances.patch_status(instance, report.to_pushing(instance, message, self._clock.now()))
        log.info("saving", extra={"save": save.metadata.name})

    async def report_end(self, save: SaveImage, journal: SaveJournal, failure: SaveFailure | None) -> None:
        """Report the outcome: the agent's only write to a SaveImage."""
        now, script = self._clock.now(), journal.script.result()
        if failure is None:
            status = save_report.to_pushed(save, now, script)
        else:
            status = save_report.to_failed(save, failure, now, script)
        try:
            await self._saves.patch_status(save, status)
        except (Conflict, NotFound):
            if not await self._saves.reread(save):
                await asyncio.sleep(CATCH_UP_SECONDS)
            return
        metrics.SAVES.labels("done" if failure is None else "failed").inc()
        log.info("saved" if failure is None else "not saved", extra={"save": save.metadata.name})
        await asyncio.to_thread(journal.conclude, finished=True)


@dataclass(eq=False)
class Saver:
    """`next` decides the step, `do` does it, `count_failure` says whether a failed command is retried."""

    _queue: SaveQueue
    _steps: SaveSteps
    _reporter: SaveReporter
    _clock: Clock
    _attempts: dict[tuple[str, SaveStep], int] = field(default_factory=dict, init=False)
    _interrupted: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        self._on_vm: dict[SaveStep, Callable[[SaveTarget], Awaitable[None]]] = {
            SaveStep.CHECK: self._steps.check,
            SaveStep.RUN_SCRIPT: self._steps.run_script,
            SaveStep.HALT: self._steps.halt,
            SaveStep.TEST: self._steps.test,
            SaveStep.REVERT: self._steps.revert,
            SaveStep.RENAME: self._steps.rename,
            SaveStep.PUSH: self._steps.push,
            SaveStep.CONFIRM: self._steps.confirm,
        }

    def interrupt(self) -> None:
        """End a wait for a script or a push: a request changed, so the next step may be another one."""
        self._interrupted.set()

    def next(self, instance: AnkaInstance, vm: Vm | None) -> SaveTask | None:
        """None when no save decides what happens to the instance."""
        self._interrupted.clear()
        return self._queue.next(instance, vm)

    async def do(self, task: SaveTask, instance: AnkaInstance, vm: Vm | None) -> None:
        """The step. Raises AnkaError, ApiError; what makes the save fail is recorded."""
        began, outcome = self._clock.monotonic(), "failed"
        try:
            await self._perform(task, instance, vm)
            outcome = "done"
        except SaveFailed as error:
            await self._fail(task.journal, error.failure)
        except OSError as error:
            failure = SaveFailure(SaveReason.DISK_FAILED, f"the Mac's disk refuses: {error}", SaveReason.DISK_FAILED)
            await self._fail(task.journal, failure)
        except asyncio.CancelledError:
            outcome = "interrupted"
            raise
        finally:
            metrics.SAVE_STEP_SECONDS.labels(task.decision.step.value, outcome).observe(self._clock.monotonic() - began)

    async def count_failure(self, task: SaveTask, error: AnkaError) -> int | None:
        """The number of failed attempts if the step is to be tried again; None if the failure is recorded."""
        step = task.decision.step
        key = (task.journal.directory.name, step)
        attempt = self._attempts[key] = self._attempts.get(key, 0) + 1
        if is_worth_retrying(step, error, attempt):
            log.warning("%s failed: %s; trying again", step.value, error, extra={"attempt": attempt})
            return attempt
        if step is SaveStep.RENAME_BACK:
            log.error("the VM cannot get its own name back: %s", error)
            self._queue.keeps_template_name = True
        else:
            await self._fail(task.journal, fail_save(step, error))
        return None

    def cancel(self) -> None:
        """The instance is deleted: nothing of a save may go on with its VM."""
        for journal in self._queue.list_journals():
            journal.cancel()

    async def conclude(self, instance: AnkaInstance) -> None:
        """The VM is deleted, and with it every save that has not ended. Raises ApiError while the API is away."""
        for save in self._queue.list_pending(instance):
            journal = self._queue.journal_of(save.metadata.uid)
            failure = None if _is_pushed(journal) else journal.record.failure or DELETED
            try:
                await self._reporter.report_end(save, journal, failure)
            except (Forbidden, Invalid) as error:
                # The operator does this once the instance is deleted.
                log.warning("the end of a save is not written: %s", error, extra={"save": save.metadata.name})

    async def _perform(self, task: SaveTask, instance: AnkaInstance, vm: Vm | None) -> None:
        step, save, journal = task.decision.step, task.save, task.journal
        if step is SaveStep.GIVE_UP and task.decision.failure is not None:
            await self._fail(journal, task.decision.failure)
        elif step is SaveStep.FORGET:
            await asyncio.to_thread(journal.conclude, finished=True)
        elif step is SaveStep.CANCEL:
            await _cancel(journal)
        elif step is SaveStep.AWAIT_SCRIPT:
            await self._wait_for(journal.script)
        elif step is SaveStep.AWAIT_PUSH:
            await self._wait_for(journal.push)
        elif step is SaveStep.RENAME_BACK and vm is not None:
            await self._steps.restore_name(instance, vm)
        elif save is not None and step is SaveStep.REPORT_PUSHING:
            await self._reporter.report_begin(save, journal, instance)
        elif save is not None and step is SaveStep.REPORT_DONE:
            await self._reporter.report_end(save, journal, None)
        elif save is not None and step is SaveStep.REPORT_ERROR:
            await self._reporter.report_end(save, journal, journal.record.failure)
        elif save is not None and vm is not None:
            await self._on_vm[step](SaveTarget(save, instance, vm, journal))

    async def _wait_for(self, job: ScriptJob) -> None:
        async with child_tasks(job.wait(), self._interrupted.wait()) as waiting:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    async def _fail(self, journal: SaveJournal, failure: SaveFailure) -> None:
        log.warning("nothing is saved: %s", failure.message, extra={"reason": failure.reason.value})
        await asyncio.to_thread(journal.conclude, failure=failure)


async def _cancel(journal: SaveJournal) -> None:
    journal.cancel()
    async with child_tasks(journal.script.wait(), journal.push.wait()) as ending:
        await asyncio.wait(ending, timeout=CANCEL_SECONDS)


def _is_pushed(journal: SaveJournal) -> bool:
    if journal.record.pushed:
        return True
    try:
        require_pushed(journal)
    except AnkaError:
        return False
    return True
