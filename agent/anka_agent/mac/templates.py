"""The templates and tags on this Mac, a local cache of the registry."""

import asyncio
import logging

from anka_agent.anka.cli import AnkaCli, Tag
from anka_agent.anka.errors import AnkaError, NotFoundError
from anka_agent.anka.vm import Vm
from anka_agent.mac.inventory import Inventory
from anka_agent.mac.tag_journal import TagJournal
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)
REFRESH_SECONDS = 2.0
"""Between two attempts at the first reading."""


class TemplateCache:
    """`report_due` is set when templates came or went."""

    def __init__(
        self, anka: AnkaCli, inventory: Inventory, journal: TagJournal, *, clock: Clock, report_due: asyncio.Event
    ) -> None:
        self.held: dict[str, tuple[Vm, tuple[Tag, ...]]] = {}
        """By UUID."""
        self.arch: str | None = None
        """Architecture of the Mac, as its templates show it."""
        self.journal = journal
        self._anka = anka
        self._inventory = inventory
        self._clock = clock
        self._report_due = report_due
        self._known: dict[str, str | None] | None = {}
        self._started = 0
        self._applied = 0
        self._removing: dict[str, tuple[str | None, asyncio.Event]] = {}

    def holds(self, template: str, tag: str | None) -> bool:
        """Whether a VM can be cloned from it without a pull."""
        found = self.held.get(template)
        if found is None:
            return False
        if template in self._removing:
            removed, _ = self._removing[template]
            if removed is None or tag in (None, removed):
                return False
        vm, tags = found
        # Where tags are listed, the one in use is among them, unless it was deleted.
        return tag is None or (any(held.tag == tag for held in tags) if tags else tag == vm.version)

    async def refresh_until_known(self) -> None:
        """The first reading: without it, templates that are here would be pulled again."""
        while True:
            try:
                await self.refresh()
            except AnkaError as error:
                log.warning("the templates of this Mac cannot be listed: %s; trying again", error)
                await asyncio.sleep(REFRESH_SECONDS)
            else:
                return

    async def refresh(self, *, force: bool = False) -> None:
        """Read the tags of the templates in the inventory if it changed. Raises AnkaError."""
        templates = self._inventory.templates()
        listed = {vm.uuid: vm.version for vm in templates}
        if listed == self._known and not force:
            return
        self._started += 1
        started = self._started
        held: dict[str, tuple[Vm, tuple[Tag, ...]]] = {}
        for vm in templates:
            try:
                details = await self._anka.show(vm.uuid)
                held[vm.uuid] = (details, tuple(await self._list_tags(details)))
            except NotFoundError:
                continue
            self.arch = details.arch or self.arch
        if started <= self._applied:
            return  # a reading that began later has been applied already
        self._applied = started
        self.held = held
        self._known = listed

    async def _list_tags(self, vm: Vm) -> list[Tag]:
        try:
            return await self._anka.tags(vm.uuid)
        except AnkaError:
            # An Anka that cannot list tags still shows the one in use.
            return [Tag(vm.version, None, vm.image_size)] if vm.version else []

    async def observe(self) -> None:
        """Read what the Mac holds now, and have it reported. Raises AnkaError."""
        await self._inventory.observe()
        await self.refresh(force=True)
        await self.journal.keep_only([(vm.uuid, tag.tag) for vm, tags in self.held.values() for tag in tags])
        self._report_due.set()

    def has_content(self, template: str, tag: str | None, content_id: str | None) -> bool:
        """Whether it is held, and as the registry had it under this identity. None: any content will do."""
        return self.holds(template, tag) and content_id in (None, self.content_id(template, tag))

    def content_id(self, template: str, tag: str | None) -> str | None:
        """Of what was pulled; None if this agent did not pull it."""
        return self.journal.content_id(template, self._name_tag(template, tag))

    async def record_use(self, template: str, tag: str | None) -> None:
        """A VM was made from it: the least recently used goes first when space is short."""
        await self.journal.record_use(template, self._name_tag(template, tag), self._clock.now())

    async def record_pull(self, template: str, tag: str | None, content_id: str | None) -> None:
        """It was pulled, after the registry had this under the tag."""
        await self.journal.record_pull(template, self._name_tag(template, tag), content_id, self._clock.now())

    async def record_start(self, template: str, tag: str | None, content_id: str | None) -> None:
        """A VM of it has started. What is held now may be another content than the VM's: then this proves nothing."""
        if self.has_content(template, tag, content_id):
            await self.journal.record_start(template, self._name_tag(template, tag), self._clock.now())

    def has_started(self, template: str, tag: str | None, content_id: str | None) -> bool:
        """Whether a VM of it, as it is held now, has started on this Mac."""
        held = self.has_content(template, tag, content_id)
        return held and self.journal.has_started(template, self._name_tag(template, tag))

    def _name_tag(self, template: str, tag: str | None) -> str | None:
        """The tag itself, else the one in use."""
        vm, _ = self.held.get(template, (None, ()))
        return tag or (vm.version if vm is not None else None)

    async def remove(self, template: str, tag: str | None) -> None:
        """Delete the tag, or all of the template, from this Mac. Not while it is pulled. Raises AnkaError.

        It counts as not held at once, and a pull or another removal of it waits until the Mac was looked at afterwards:
        a VM that is asked for meanwhile is made from a new copy, never from half of the old one.
        """
        await self.wait_for_removal(template)
        if not self.holds(template, tag):
            return
        _, tags = self.held.get(template, (None, ()))
        if tag is not None and {held.tag for held in tags} <= {tag}:
            tag = None  # a template without tags is useless
        end = asyncio.Event()
        self._removing[template] = (tag, end)
        try:
            log.info("removing a template", extra={"template": template, "tag": tag})
            await self._anka.delete(template, tag)
        finally:
            self.held.pop(template, None)
            self._known = None
            self._applied = self._started
            try:
                await self.observe()
            finally:
                del self._removing[template]
                end.set()

    async def wait_for_removal(self, template: str) -> None:
        """Return once no removal of it is in progress, and it is known what the last one has left."""
        while (removal := self._removing.get(template)) is not None:
            await removal[1].wait()
