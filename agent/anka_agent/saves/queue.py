"""Which save of an instance comes next, and how far it has got. One at a time: the next waits until it has failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from anka_agent.anka.vm import Vm
from anka_agent.jobs.journal import Journal
from anka_agent.jobs.save_journal import SaveJournal
from anka_agent.plan.save import SaveDecision, SaveOptions, SaveRecord, SaveSituation, SaveStep, decide_save
from anka_agent.plan.situation import ObservedVm
from anka_crds.api import AnkaInstance, Phase, SaveImage
from anka_crds.resources import SAVES
from anka_kube.store import Store

BY_INSTANCE = "instance"


@dataclass(frozen=True)
class SaveTask:
    """One save, with its next step. `save` is None when the request was deleted and only its record is left."""

    save: SaveImage | None
    journal: SaveJournal
    decision: SaveDecision


class SaveQueue:
    """The saves of the instance with this uid."""

    def __init__(self, uid: str, saves: Store[SaveImage], journal: Journal) -> None:
        self.keeps_template_name = False
        """Its VM cannot get its own name back: it stays ours by its UUID."""
        self._uid = uid
        self._saves = saves
        self._journal = journal
        self._journals: dict[str, SaveJournal] = {}

    def next(self, instance: AnkaInstance, vm: Vm | None) -> SaveTask | None:
        """None when the instance's own plan decides what happens to it."""
        for save, journal in self._list_abandoned():
            return self._decide(save, journal, instance, vm, abandoned=True)
        if instance.status.phase is Phase.PUSHING and (done := self._find_saved(instance)) is not None:
            # The operator is about to delete the instance.
            return SaveTask(done, self.journal_of(done.metadata.uid), SaveDecision(SaveStep.NOTHING))
        for save in self.list_pending(instance):
            return self._decide(save, self.journal_of(save.metadata.uid), instance, vm)
        return None

    def list_pending(self, instance: AnkaInstance) -> list[SaveImage]:
        """Those already begun first, then the oldest."""
        waiting = [
            save
            for save in self._list_saves(instance)
            if save.status.phase == "Pending" and save.status.pushed_at is None
        ]

        def order(save: SaveImage) -> tuple[bool, str, str]:
            created = save.metadata.creation_timestamp
            is_new = not self.journal_of(save.metadata.uid).exists
            return is_new, created.isoformat() if created else "", save.metadata.name

        return sorted(waiting, key=order)

    def list_journals(self) -> list[SaveJournal]:
        """The journals of all saves begun here."""
        return [self.journal_of(uid) for uid in self._journal.saves(self._uid)]

    def journal_of(self, save_uid: str) -> SaveJournal:
        journal = self._journals.get(save_uid)
        if journal is None:
            journal = self._journals[save_uid] = self._journal.save(self._uid, save_uid)
        return journal

    def _list_saves(self, instance: AnkaInstance) -> Sequence[SaveImage]:
        return self._saves.by_index(BY_INSTANCE, f"{instance.metadata.namespace}/{instance.metadata.name}")

    def _list_abandoned(self) -> list[tuple[SaveImage | None, SaveJournal]]:
        """Begun here, and since deleted or ended by the operator."""
        found = []
        for uid in self._journal.saves(self._uid):
            journal, save = self.journal_of(uid), self._saves.by_uid(uid)
            if not journal.record.finished and (save is None or save.status.phase != "Pending"):
                found.append((save, journal))
        return found

    def _find_saved(self, instance: AnkaInstance) -> SaveImage | None:
        vm = instance.status.vm
        done = (save for save in self._list_saves(instance) if save.status.pushed_at or save.status.phase == "Done")
        return None if vm is None else next((save for save in done if save.status.vm_uuid == vm.uuid), None)

    def _decide(
        self,
        save: SaveImage | None,
        journal: SaveJournal,
        instance: AnkaInstance,
        vm: Vm | None,
        *,
        abandoned: bool = False,
    ) -> SaveTask | None:
        saving = SaveSituation(
            phase=instance.status.phase,
            vm=None if vm is None else ObservedVm(vm.status, vm.ip, vm.start_date is not None),
            options=SaveOptions() if save is None else read_options(save),
            record=journal.record if journal.exists else SaveRecord(),
            script=journal.script.state,
            push=journal.push.state,
            renamed=vm is not None and not self.keeps_template_name and self._is_renamed(vm),
            abandoned=abandoned,
        )
        decision = decide_save(saving)
        return None if decision is None else SaveTask(save, journal, decision)

    def _is_renamed(self, vm: Vm) -> bool:
        record = self._journal.find_vm(self._uid)
        return record is not None and vm.name != record.name


def make_save_store() -> Store[SaveImage]:
    """Requests to save instances, found by their instance."""
    return Store(SAVES, {BY_INSTANCE: lambda save: [f"{save.metadata.namespace}/{save.spec.instance}"]})


def read_options(save: SaveImage) -> SaveOptions:
    spec = save.spec
    return SaveOptions(
        suspend=spec.suspend,
        script=spec.script is not None,
        cancel_on_script_failure=spec.cancel_on_script_failure,
        sanity_test=spec.suspend_sanity_test,
        revert=spec.revert_before_push,
        new_template=spec.new_template_name is not None,
    )
