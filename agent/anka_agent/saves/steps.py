"""The steps of a save themselves: each does one thing to the VM or the registry, and may be done twice."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from dataclasses import dataclass

from anka_agent.anka.command import answer
from anka_agent.anka.errors import AlreadyExistsError, AnkaError, CommandTimeout, GarbageError, NotFoundError
from anka_agent.anka.vm import Vm
from anka_agent.instances.actions import Actions, StepFailed
from anka_agent.instances.context import Context, token_of
from anka_agent.plan.options import rename_command
from anka_agent.plan.save import SaveFailure, Stage, reverted_tag, tag_in_the_way
from anka_agent.saves.journal import SaveJournal
from anka_crds.api import AnkaInstance, SaveImage

SCRIPT_SECONDS = 6 * 3600.0
"""No time is agreed for the script of a save: this ends one that hangs."""
PUSH_SECONDS = 6 * 3600.0
"""As for a pull."""


class SaveFailed(Exception):
    """Nothing can be saved."""

    def __init__(self, failure: SaveFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True)
class Subject:
    """What is saved, and the memory of it."""

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

    def __init__(self, context: Context, actions: Actions) -> None:
        self._context = context
        self._anka = context.anka
        self._actions = actions

    async def check(self, subject: Subject) -> None:
        """Whether the registry can take it, before anything is done to the VM."""
        spec = subject.save.spec
        if spec.target_template is not None:
            tags = await self._tags(subject, spec.target_template)
            if tag_in_the_way(tags, spec.tag, revert=spec.revert_before_push, wanted=spec.revert_tag):
                words = f"template {spec.target_template} has tag {spec.tag} already: choose another, or revert it"
                raise SaveFailed(_failure("TagExists", words))
        elif spec.new_template_name in await self._anka.registry_names(remote=subject.remote):
            words = f"the registry has a template {spec.new_template_name} already: choose another name"
            raise SaveFailed(_failure("NameTaken", words))
        await asyncio.to_thread(subject.journal.write, checked=True)

    async def run_script(self, subject: Subject) -> None:
        try:
            text = base64.b64decode(subject.save.spec.script or "")
        except binascii.Error:
            words = "spec.script is not base64"
            raise SaveFailed(SaveFailure("ScriptFailed", words, "base64.CorruptInputError")) from None
        command = self._anka.run_command(subject.vm.uuid, "sh")
        await asyncio.to_thread(subject.journal.script.begin, command, text, timeout=SCRIPT_SECONDS)

    async def halt(self, subject: Subject) -> None:
        """Suspend the VM, or stop it."""
        if subject.journal.record.stage is Stage.BEGUN:
            await asyncio.to_thread(subject.journal.write, stage=Stage.HALTING)
        if not subject.save.spec.suspend:
            await self._actions.stop(subject.vm)
            return
        self._context.inventory.forget_details(subject.vm.uuid)
        await self._anka.suspend(subject.vm.uuid)
        self._context.inventory.forget_details(subject.vm.uuid, "suspended")

    async def test(self, subject: Subject) -> None:
        """Resume the suspended VM until it has its address again."""
        await asyncio.to_thread(subject.journal.write, stage=Stage.TESTING)
        network = subject.instance.spec.network
        try:
            await self._actions.start(subject.instance, subject.vm)
            if network is None or network.mode != "disconnected":
                await self._actions.await_network(subject.vm)
        except (AnkaError, StepFailed) as error:
            # Without the state that cannot be resumed, it boots.
            with contextlib.suppress(AnkaError):
                await self._actions.stop(subject.vm)
            words = f"the suspended VM cannot be resumed: {error}"
            raise SaveFailed(_failure("SanityTestFailed", words, error)) from error
        await asyncio.to_thread(subject.journal.write, stage=Stage.TESTED)

    async def revert(self, subject: Subject) -> None:
        spec, journal = subject.save.spec, subject.journal
        target = spec.target_template or ""
        if journal.record.revert is None:
            # Written down first: done again after a crash, "the latest" would be another tag.
            tags = await self._tags(subject, target)
            await asyncio.to_thread(journal.write, revert=reverted_tag(tags, spec.revert_tag) or "")
        if journal.record.revert:
            await self._anka.revert(target, journal.record.revert, remote=subject.remote)
        await asyncio.to_thread(journal.write, reverted=True)

    async def rename(self, subject: Subject) -> None:
        """A pushed VM becomes a template of its own name."""
        uid, vm, name = subject.instance.metadata.uid, subject.vm, subject.save.spec.new_template_name or ""
        token = token_of(subject.instance)
        await asyncio.to_thread(self._context.journal.claim, uid, vm.uuid, token)
        self._context.inventory.claims[vm.uuid] = token
        await self._rename(vm, name)

    async def _rename(self, vm: Vm, name: str) -> None:
        await self._anka.modify(rename_command(name, vm.uuid, anka=self._context.anka_major()))
        self._context.inventory.renamed(vm.uuid, name)

    async def rename_back(self, instance: AnkaInstance, vm: Vm) -> None:
        name = self._actions.name(instance)
        await self._rename(vm, name)
        await asyncio.to_thread(self._context.journal.unclaim, instance.metadata.uid)
        self._context.inventory.claims.pop(vm.uuid, None)

    async def push(self, subject: Subject) -> None:
        """Begin it, in a process that outlives the agent."""
        spec = subject.save.spec
        command = self._anka.push_command(
            subject.vm.uuid,
            spec.tag,
            description=spec.description,
            target=spec.target_template,
            remote=subject.remote,
        )
        await asyncio.to_thread(subject.journal.push.begin, command, b"", timeout=PUSH_SECONDS)

    async def confirm(self, subject: Subject) -> None:
        """What became of the push: the registry knows, where the command did not live to tell."""
        try:
            pushed(subject.journal)
        except AnkaError as error:
            if isinstance(error, AlreadyExistsError) or not await self._is_there(subject):
                raise SaveFailed(_failure("PushFailed", f"the VM cannot be pushed: {error}", error)) from error
        await asyncio.to_thread(subject.journal.write, pushed=True)

    async def _is_there(self, subject: Subject) -> bool:
        # The tag was not there before: `check` has seen to that.
        spec = subject.save.spec
        try:
            tags = await self._anka.registry_tags(spec.target_template or subject.vm.uuid, remote=subject.remote)
        except AnkaError:
            return False
        return spec.tag in tags

    async def _tags(self, subject: Subject, template: str) -> list[str]:
        try:
            return await self._anka.registry_tags(template, remote=subject.remote)
        except NotFoundError as error:
            words = f"the registry has no template {template}"
            raise SaveFailed(_failure("TemplateNotFound", words, error)) from error


def pushed(journal: SaveJournal) -> None:
    """Returns when the push that has ended succeeded. Raises AnkaError otherwise."""
    command, result = "registry push", journal.push.result()
    if result is None or result.errors:
        raise GarbageError("was cut off: the Mac or its Anka went down", command=command)
    if result.did_timeout:
        raise CommandTimeout(f"did not end within {PUSH_SECONDS:g} s", command=command)
    answer(result.stdout.encode(), result.stderr.encode(), result.return_code, command)


def _failure(reason: str, message: str, error: Exception | None = None) -> SaveFailure:
    return SaveFailure(reason, message, reason, error.code if isinstance(error, AnkaError) else None)
