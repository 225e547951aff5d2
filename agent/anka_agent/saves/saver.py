"""The saves of one instance, for its worker: which one has its turn, what is its next step, and what became of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from anka_agent.anka.errors import AnkaError, MissingCommand
from anka_agent.anka.vm import Vm
from anka_agent.instances.actions import Actions
from anka_agent.instances.context import Context, token_of
from anka_agent.instances.scripts import ScriptJob
from anka_agent.plan import report, save_report
from anka_agent.plan.save import Record, SaveDecision, SaveFailure, SaveStep, Saving, Wish, decide_save
from anka_agent.plan.situation import SeenVm
from anka_agent.saves.journal import SaveJournal
from anka_agent.saves.steps import SaveFailed, SaveSteps, Subject, pushed
from anka_agent.saves.store import saves_of
from anka_crds.api import AnkaInstance, Phase, SaveImage
from anka_crds.core.naming import names_instance
from anka_crds.kube.errors import Conflict, Forbidden, Invalid, NotFound

log = logging.getLogger(__name__)

SECONDS = Histogram(
    "anka_agent_save_step_seconds",
    "Duration of the steps of saving an instance to the registry, in seconds",
    ["step", "outcome"],
    buckets=(0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400),
)
SAVES = Counter("anka_agent_saves_total", "Instances saved to the registry, or not", ["outcome"])

ATTEMPTS = 3
CANCEL_SECONDS = 3.0
REASONS = {
    SaveStep.CHECK: ("RegistryFailed", "the registry cannot be asked"),
    SaveStep.RUN_SCRIPT: ("ScriptFailed", "the script cannot be run"),
    SaveStep.HALT: ("SuspendFailed", "the VM cannot be suspended or stopped"),
    SaveStep.REVERT: ("RevertFailed", "the template cannot be reverted"),
    SaveStep.RENAME: ("RenameFailed", "the VM cannot get the template's name"),
    SaveStep.PUSH: ("PushFailed", "the VM cannot be pushed"),
}
DELETED = SaveFailure("InstanceDeleted", "the instance was deleted before it was saved", "InstanceDeleted")


@dataclass(frozen=True)
class Turn:
    """One save, with its next step. `save` is None when the request is gone and only its record is left."""

    save: SaveImage | None
    journal: SaveJournal
    decision: SaveDecision


class Saver:
    """`next` says what is to be done, `do` does it. One save at a time; the next one waits until it failed."""

    def __init__(self, context: Context, actions: Actions, uid: str) -> None:
        self._context = context
        self._steps = SaveSteps(context, actions)
        self._uid = uid
        self._journals: dict[str, SaveJournal] = {}
        self._attempts: dict[tuple[str, SaveStep], int] = {}
        self._named_for_good = False
        self._interrupted = asyncio.Event()

    def interrupt(self) -> None:
        """Look again at what is wanted, instead of waiting for a script or a push."""
        self._interrupted.set()

    def next(self, instance: AnkaInstance, vm: Vm | None) -> Turn | None:
        """None when no save has a say in what happens to the instance."""
        self._interrupted.clear()
        for save, journal in self._abandoned():
            decision = decide_save(self._saving(save, journal, instance, vm, abandoned=True))
            return None if decision is None else Turn(save, journal, decision)
        for save in self._pending(instance):
            journal = self._journal(save.metadata.uid)
            decision = decide_save(self._saving(save, journal, instance, vm))
            return None if decision is None else Turn(save, journal, decision)
        if instance.status.phase is Phase.PUSHING and (done := self._saved(instance)) is not None:
            # The operator is about to delete the instance.
            return Turn(done, self._journal(done.metadata.uid), SaveDecision(SaveStep.NOTHING))
        return None

    async def do(self, turn: Turn, instance: AnkaInstance, vm: Vm | None) -> None:
        """The step. Raises AnkaError, ApiError; what makes the save fail is written down."""
        step, began = turn.decision.step, self._context.clock.monotonic()
        outcome = "failed"
        try:
            await self._perform(turn, instance, vm)
            outcome = "done"
        except SaveFailed as error:
            await self._fail(turn.journal, error.failure)
        except OSError as error:
            await self._fail(turn.journal, SaveFailure("DiskFailed", f"the Mac's disk refuses: {error}", "DiskFailed"))
        except asyncio.CancelledError:
            outcome = "interrupted"
            raise
        finally:
            SECONDS.labels(step.value, outcome).observe(self._context.clock.monotonic() - began)

    async def after_anka_error(self, turn: Turn, error: AnkaError) -> float:
        """Written down, or to be tried again: the seconds until then."""
        step = turn.decision.step
        key = (turn.journal.directory.name, step)
        attempt = self._attempts[key] = self._attempts.get(key, 0) + 1
        if attempt < ATTEMPTS and not isinstance(error, MissingCommand):
            log.warning("%s failed: %s; trying again", step.value, error, extra={"attempt": attempt})
            return float(2 ** (attempt - 1))
        if step is SaveStep.RENAME_BACK:
            # It stays ours by its UUID, whatever its name is.
            log.error("the VM cannot get its own name back: %s", error)
            self._named_for_good = True
            return 0.0
        reason, what = REASONS.get(step, ("Failed", f"{step.value} failed"))
        await self._fail(turn.journal, SaveFailure(reason, f"{what}: {error}", reason, error.code))
        return 0.0

    def cancel(self) -> None:
        """The instance is deleted: nothing of a save may go on with its VM."""
        for uid in self._context.journal.saves(self._uid):
            self._journal(uid).cancel()

    async def conclude(self, instance: AnkaInstance) -> None:
        """The VM is gone, and with it every save that has not ended. Raises ApiError while the API is away."""
        for save in self._pending(instance):
            journal = self._journal(save.metadata.uid)
            try:
                if _is_pushed(journal):
                    await self._tell(save, journal, None)
                else:
                    await self._tell(save, journal, journal.record.failure or DELETED)
            except (Forbidden, Invalid) as error:
                # The operator does it, once the instance is gone.
                log.warning("the end of a save is not written: %s", error, extra={"save": save.metadata.name})

    # Which, and where it is

    def _journal(self, save_uid: str) -> SaveJournal:
        journal = self._journals.get(save_uid)
        if journal is None:
            journal = self._journals[save_uid] = self._context.journal.save(self._uid, save_uid)
        return journal

    def _pending(self, instance: AnkaInstance) -> list[SaveImage]:
        """One that was begun first, then the oldest."""
        waiting = [save for save in saves_of(self._context.saves, instance) if save.status.phase == "Pending"]

        def order(save: SaveImage) -> tuple[bool, str, str]:
            created = save.metadata.creation_timestamp
            return (
                not self._journal(save.metadata.uid).exists,
                created.isoformat() if created else "",
                save.metadata.name,
            )

        return sorted(waiting, key=order)

    def _abandoned(self) -> list[tuple[SaveImage | None, SaveJournal]]:
        """Begun here, and deleted or ended by somebody else since."""
        found = []
        for uid in self._context.journal.saves(self._uid):
            journal, save = self._journal(uid), self._context.saves.by_uid(uid)
            if not journal.record.finished and (save is None or save.status.phase != "Pending"):
                found.append((save, journal))
        return found

    def _saved(self, instance: AnkaInstance) -> SaveImage | None:
        vm = instance.status.vm
        done = (save for save in saves_of(self._context.saves, instance) if save.status.phase == "Done")
        return None if vm is None else next((save for save in done if save.status.vm_uuid == vm.uuid), None)

    def _saving(
        self,
        save: SaveImage | None,
        journal: SaveJournal,
        instance: AnkaInstance,
        vm: Vm | None,
        *,
        abandoned: bool = False,
    ) -> Saving:
        inventory = self._context.inventory
        return Saving(
            phase=instance.status.phase,
            vm=None if vm is None else SeenVm(vm.status, vm.ip, vm.start_date is not None),
            wish=Wish() if save is None else wish(save),
            record=journal.record if journal.exists else Record(),
            script=journal.script.state,
            push=journal.push.state,
            renamed=vm is not None
            and not self._named_for_good
            and vm.uuid in inventory.claims
            and not names_instance(vm.name, inventory.prefix, token_of(instance)),
            abandoned=abandoned,
        )

    # Doing

    async def _perform(self, turn: Turn, instance: AnkaInstance, vm: Vm | None) -> None:
        step, save, journal = turn.decision.step, turn.save, turn.journal
        if step is SaveStep.GIVE_UP and turn.decision.failure is not None:
            await self._fail(journal, turn.decision.failure)
        elif step is SaveStep.FORGET:
            await asyncio.to_thread(journal.conclude, finished=True)
        elif step is SaveStep.CANCEL:
            await _cancelled(journal)
        elif step is SaveStep.AWAIT_SCRIPT:
            await self._ended(journal.script)
        elif step is SaveStep.AWAIT_PUSH:
            await self._ended(journal.push)
        elif step is SaveStep.RENAME_BACK and vm is not None:
            await self._steps.rename_back(instance, vm)
        elif save is not None and step is SaveStep.REPORT_PUSHING:
            await self._begin(save, journal, instance)
        elif save is not None and step is SaveStep.REPORT_DONE:
            await self._tell(save, journal, None)
        elif save is not None and step is SaveStep.REPORT_ERROR:
            await self._tell(save, journal, journal.record.failure)
        elif save is not None and vm is not None:
            await self._on_vm()[step](Subject(save, instance, vm, journal))

    async def _ended(self, job: ScriptJob) -> None:
        waiting = [asyncio.ensure_future(job.ended()), asyncio.ensure_future(self._interrupted.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _on_vm(self) -> dict[SaveStep, Callable[[Subject], Awaitable[None]]]:
        steps = self._steps
        return {
            SaveStep.CHECK: steps.check,
            SaveStep.RUN_SCRIPT: steps.run_script,
            SaveStep.HALT: steps.halt,
            SaveStep.TEST: steps.test,
            SaveStep.REVERT: steps.revert,
            SaveStep.RENAME: steps.rename,
            SaveStep.PUSH: steps.push,
            SaveStep.CONFIRM: steps.confirm,
        }

    async def _begin(self, save: SaveImage, journal: SaveJournal, instance: AnkaInstance) -> None:
        # The record comes first: a request that is deleted right after this still leaves a VM to be brought back.
        await asyncio.to_thread(journal.write)
        spec = save.spec
        words = f"Being saved as {spec.target_template or spec.new_template_name}:{spec.tag}"
        status = report.pushing(instance, words, self._context.clock.now())
        await self._context.writer.patch_status(instance, status, guarded=True)
        log.info("saving", extra={"save": save.metadata.name})

    async def _fail(self, journal: SaveJournal, failure: SaveFailure) -> None:
        log.warning("nothing is saved: %s", failure.message, extra={"reason": failure.reason})
        await asyncio.to_thread(journal.conclude, failure=failure)

    async def _tell(self, save: SaveImage, journal: SaveJournal, failure: SaveFailure | None) -> None:
        """Write the outcome: the only write of the agent to a SaveImage."""
        now, script = self._context.clock.now(), journal.script.result()
        if failure is None:
            status = save_report.done(save, now, script)
        else:
            status = save_report.failed(save, failure, now, script)
        try:
            await self._context.save_writer.patch_status(save, status, guarded=True)
        except (Conflict, NotFound):
            await self._read_again(save)
            return
        SAVES.labels("done" if failure is None else "failed").inc()
        log.info("saved" if failure is None else "not saved", extra={"save": save.metadata.name})
        await asyncio.to_thread(journal.conclude, finished=True)

    async def _read_again(self, save: SaveImage) -> None:
        try:
            fresh = await self._context.client.get(
                self._context.saves.resource, save.metadata.name, save.metadata.namespace
            )
        except NotFound:
            self._context.saves.apply_deleted(save)
            return
        if fresh.metadata.uid != save.metadata.uid:
            self._context.saves.apply_deleted(save)
        elif not self._context.saves.apply_written(fresh):
            await asyncio.sleep(0.05)


async def _cancelled(journal: SaveJournal) -> None:
    """Not for ever: one that has only just begun hears no signal yet, and is called off again."""
    journal.cancel()
    ending = [asyncio.ensure_future(job.ended()) for job in (journal.script, journal.push)]
    try:
        await asyncio.wait(ending, timeout=CANCEL_SECONDS)
    finally:
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


def wish(save: SaveImage) -> Wish:
    spec = save.spec
    return Wish(
        suspend=spec.suspend,
        script=spec.script is not None,
        cancel_on_script_failure=spec.cancel_on_script_failure,
        sanity_test=spec.suspend_sanity_test,
        revert=spec.revert_before_push,
        new_template=spec.new_template_name is not None,
    )


def _is_pushed(journal: SaveJournal) -> bool:
    if journal.record.pushed:
        return True
    try:
        pushed(journal)
    except AnkaError:
        return False
    return True
