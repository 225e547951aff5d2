"""The steps of a save themselves: each does one thing to the VM or the registry, and may be repeated."""

import asyncio
import contextlib
from dataclasses import dataclass

from anka_agent.anka.command import answer
from anka_agent.anka.errors import AlreadyExistsError, AnkaError, CommandTimeout, GarbageError, NotFoundError
from anka_agent.anka.vm import Vm
from anka_agent.jobs.journal import Journal, VmRecord
from anka_agent.jobs.save_journal import SaveJournal
from anka_agent.mac.mac_host import MacHost
from anka_agent.plan.failures import SaveFailed, StepFailed
from anka_agent.plan.options import rename_command
from anka_agent.plan.save import SaveFailure, Stage, find_revert_tag, has_tag_conflict
from anka_agent.steps.instance import InstanceSteps
from anka_agent.steps.power import PowerSteps
from anka_crds.api import AnkaInstance, SaveImage
from anka_crds.api.conditions import SaveReason
from anka_crds.rules.scripts import Base64Error, decode_script

SCRIPT_SECONDS = 6 * 3600.0
"""The script of a save has no time limit: this ends one that hangs."""
PUSH_SECONDS = 6 * 3600.0
"""Same limit as for a pull."""


@dataclass(frozen=True)
class SaveTarget:
    """What is saved, and its record."""

    save: SaveImage
    instance: AnkaInstance
    vm: Vm
    journal: SaveJournal

    @property
    def remote(self) -> str | None:
        """URL of the registry that is pushed to."""
        return self.save.status.registry or self.instance.status.registry


class SaveSteps:
    """All methods raise AnkaError, OSError and SaveFailed; cancelling them is safe."""

    def __init__(self, mac: MacHost, instance: InstanceSteps, power: PowerSteps, journal: Journal) -> None:
        self._mac = mac
        self._anka = mac.anka
        self._instance = instance
        self._power = power
        self._journal = journal

    async def check(self, subject: SaveTarget) -> None:
        """Check that the registry can take it, before anything is done to the VM."""
        spec, target = subject.save.spec, subject.save.target
        self._push_command(subject)
        if target is not None:
            tags = await self._list_tags(subject, target)
            if has_tag_conflict(tags, spec.tag, revert=spec.revert_before_push, wanted=spec.revert_tag):
                message = f"template {spec.target_template} has tag {spec.tag} already: choose another, or revert it"
                raise SaveFailed(_failure(SaveReason.TAG_EXISTS, message))
        elif spec.new_template_name in await self._anka.registry_names(remote=subject.remote):
            message = f"the registry has a template {spec.new_template_name} already: choose another name"
            raise SaveFailed(_failure(SaveReason.NAME_TAKEN, message))
        await asyncio.to_thread(subject.journal.write, checked=True)

    async def run_script(self, subject: SaveTarget) -> None:
        try:
            text = decode_script(subject.save.spec.script or "")
        except Base64Error as error:
            failure = SaveFailure(SaveReason.SCRIPT_FAILED, f"spec.script: {error}", "base64.CorruptInputError")
            raise SaveFailed(failure) from None
        command = self._anka.run_command(subject.vm.uuid, "sh")
        await asyncio.to_thread(subject.journal.script.begin, command, text, timeout=SCRIPT_SECONDS)

    async def halt(self, subject: SaveTarget) -> None:
        """Suspend the VM, or stop it."""
        if subject.journal.record.stage is Stage.BEGUN:
            await asyncio.to_thread(subject.journal.write, stage=Stage.HALTING)
        if subject.save.spec.suspend:
            await self._power.suspend(subject.vm)
        else:
            await self._power.stop(subject.vm)

    async def test(self, subject: SaveTarget) -> None:
        """Resume the suspended VM until it has its address again."""
        await asyncio.to_thread(subject.journal.write, stage=Stage.TESTING)
        network = subject.instance.spec.network
        try:
            await self._power.start(subject.instance, subject.vm)
            if network is None or network.mode != "disconnected":
                await self._instance.await_network(subject.vm)
        except (AnkaError, StepFailed) as error:
            # Without the state that cannot be resumed, it boots.
            with contextlib.suppress(AnkaError):
                await self._power.stop(subject.vm)
            message = f"the suspended VM cannot be resumed: {error}"
            raise SaveFailed(_failure(SaveReason.SANITY_TEST_FAILED, message, error)) from error
        await asyncio.to_thread(subject.journal.write, stage=Stage.TESTED)

    async def revert(self, subject: SaveTarget) -> None:
        spec, journal = subject.save.spec, subject.journal
        target = subject.save.target or ""
        if journal.record.revert is None:
            # Recorded first: when the step is done again after a crash, "the latest" would be another tag.
            tags = await self._list_tags(subject, target)
            await asyncio.to_thread(journal.write, revert=find_revert_tag(tags, spec.revert_tag) or "")
        if journal.record.revert:
            await self._anka.revert(target, journal.record.revert, remote=subject.remote)
        await asyncio.to_thread(journal.write, reverted=True)

    async def rename(self, subject: SaveTarget) -> None:
        """A pushed VM becomes a template of its own name."""
        uid, vm, name = subject.instance.metadata.uid, subject.vm, subject.save.spec.new_template_name or ""
        if self._journal.find_vm(uid) != VmRecord(vm.name, vm.uuid):
            # On the disk, because from now on the name does not show that the VM is ours.
            await asyncio.to_thread(self._journal.record_vm, uid, vm.name, vm.uuid)
        await self._rename(vm, name)

    async def _rename(self, vm: Vm, name: str) -> None:
        await self._anka.modify(rename_command(name, vm.uuid, anka=self._mac.facts.version.major))
        self._mac.inventory.record_rename(vm.uuid, name)

    async def restore_name(self, instance: AnkaInstance, vm: Vm) -> None:
        if (record := self._journal.find_vm(instance.metadata.uid)) is not None:
            await self._rename(vm, record.name)

    async def push(self, subject: SaveTarget) -> None:
        """Begin the push, in a process that outlives the agent."""
        await asyncio.to_thread(subject.journal.push.begin, self._push_command(subject), b"", timeout=PUSH_SECONDS)

    def _push_command(self, subject: SaveTarget) -> list[str]:
        spec = subject.save.spec
        return self._anka.push_command(
            subject.vm.uuid, spec.tag, description=spec.description, target=subject.save.target, remote=subject.remote
        )

    async def confirm(self, subject: SaveTarget) -> None:
        """Find out how the push ended: if the command was cut off, the registry knows."""
        try:
            require_pushed(subject.journal)
        except AnkaError as error:
            if isinstance(error, AlreadyExistsError) or not await self._is_in_registry(subject):
                raise SaveFailed(
                    _failure(SaveReason.PUSH_FAILED, f"the VM cannot be pushed: {error}", error)
                ) from error
        await asyncio.to_thread(subject.journal.write, pushed=True)

    async def _is_in_registry(self, subject: SaveTarget) -> bool:
        # The tag was not there before: `check` made sure of it.
        save = subject.save
        try:
            tags = await self._anka.registry_tags(save.target or subject.vm.uuid, remote=subject.remote)
        except AnkaError:
            return False
        return save.spec.tag in tags

    async def _list_tags(self, subject: SaveTarget, template: str) -> list[str]:
        try:
            return await self._anka.registry_tags(template, remote=subject.remote)
        except NotFoundError as error:
            message = f"the registry has no template {template}"
            raise SaveFailed(_failure(SaveReason.TEMPLATE_NOT_FOUND, message, error)) from error


def require_pushed(journal: SaveJournal) -> None:
    """Returns when the push that has ended succeeded. Raises AnkaError otherwise."""
    command, result = "registry push", journal.push.result()
    if result is None or result.errors:
        raise GarbageError("was cut off: the Mac or its Anka went down", command=command)
    if result.did_timeout:
        raise CommandTimeout(f"did not end within {PUSH_SECONDS:g} s", command=command)
    answer(result.stdout.encode(), result.stderr.encode(), result.return_code, command)


def _failure(reason: SaveReason, message: str, error: Exception | None = None) -> SaveFailure:
    return SaveFailure(reason, message, reason, error.code if isinstance(error, AnkaError) else None)


@dataclass(frozen=True)
class StepSet:
    instance: InstanceSteps
    power: PowerSteps
    save: SaveSteps
