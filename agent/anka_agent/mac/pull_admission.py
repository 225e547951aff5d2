"""Admits a pull once it fits on the disk, and counts what the pulls in progress will still take."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from anka_agent import metrics
from anka_agent.anka.cli import AnkaCli, Download
from anka_agent.anka.errors import AnkaError, GarbageError, NoRoomError, NotFoundError
from anka_agent.mac.inventory import Inventory
from anka_agent.mac.pulls import IsPulling
from anka_agent.mac.templates import TemplateCache
from anka_agent.plan.eviction import LocalTag, Need, Space, choose_evictions, describe_refusal, find_need, format_bytes
from anka_crds.api.conditions import EventReason


@dataclass(eq=False)
class PullAdmission:
    """`needs`: what must stay. `reserve`: bytes that are to be free after the pull."""

    _anka: AnkaCli
    _inventory: Inventory
    _templates: TemplateCache
    _needs: Callable[[], Sequence[Need]]
    _reserve: Callable[[], int]
    _record_event: Callable[[Literal["Normal", "Warning"], EventReason, str], Awaitable[None]]
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _pulls: int = field(default=0, init=False)
    _left: int | None = field(default=None, init=False)
    """Bytes free once the pulls in progress have all they need; None while it is not known of any what it needs."""

    @asynccontextmanager
    async def admit(
        self, template: str, tag: str | None, remote: str | None, is_pulling: IsPulling
    ) -> AsyncIterator[None]:
        """Around the pull. Raises NoRoomError when it does not fit, AnkaError when the registry does not answer."""
        async with self._lock:
            taken = await self._make_room(template, tag, remote, is_pulling)
        try:
            yield
        except BaseException:
            self._add(taken)
            raise
        finally:
            self._pulls -= 1
            if self._pulls == 0:
                self._left = None

    def _add(self, size: int) -> None:
        if self._left is not None:
            self._left += size

    async def _make_room(self, template: str, tag: str | None, remote: str | None, is_pulling: IsPulling) -> int:
        """The bytes that the pull will take, counted as used from now on."""
        spared: set[tuple[str, str | None]] = set()
        while True:
            download = await self._read_size(template, tag, remote)
            if download is None:
                self._pulls += 1
                return 0
            free = download.available if self._left is None else min(download.available, self._left)
            space = Space(download.size, free, self._reserve())
            chosen = choose_evictions(
                self._list_candidates(template, is_pulling),
                space,
                lambda one: (one.template, one.tag) in spared or self._is_needed(one),
            )
            if chosen is None:
                await self._refuse(template, tag, space)
            elif not chosen:
                self._pulls += 1
                self._left = free - download.size
                return download.size
            else:
                # One at a time: tags share files, so only Anka knows what is free afterwards. And each only once.
                one = chosen[0]
                spared.add((one.template, one.tag))
                if await self._is_in_registry(one, remote) and not self._is_needed(one):
                    await self._remove(one, template, tag)

    async def _read_size(self, template: str, tag: str | None, remote: str | None) -> Download | None:
        """None if there is nothing to download, or this Anka cannot tell how much: only Anka then guards the disk."""
        try:
            return await self._anka.download(template, tag, remote=remote)
        except GarbageError:
            return None
        except AnkaError as error:
            if "option" in error.message:
                return None
            raise

    async def _is_in_registry(self, one: LocalTag, remote: str | None) -> bool:
        """What the registry does not have could not be pulled again; it may be a VM that a person made."""
        if one.tag is None:
            return False
        try:
            return one.tag in await self._anka.registry_tags(one.template, remote=remote)
        except NotFoundError:
            return False

    def _list_candidates(self, pulled: str, is_pulling: IsPulling) -> list[LocalTag]:
        """All tags that could be removed: not those of the pulled template, which save downloads, nor a running one."""
        running = self._list_running()
        found = []
        for vm, tags in self._templates.held.values():
            if vm.uuid == pulled or vm.uuid in running or is_pulling(vm.uuid):
                continue
            for tag in tags:
                uses = [self._templates.journal.last_use(vm.uuid, tag.tag)]
                if tag.tag == vm.version:
                    uses.append(vm.access_date)
                last = max((moment for moment in uses if moment is not None), default=vm.creation_date)
                found.append(LocalTag(vm.uuid, tag.tag, vm.name, tag.size or vm.image_size or 0, last))
        return found

    def _list_running(self) -> set[str]:
        return {vm.uuid for vm in self._inventory.templates() if vm.running}

    def _is_needed(self, one: LocalTag) -> bool:
        return find_need(one, self._needs()) is not None or one.template in self._list_running()

    async def _remove(self, one: LocalTag, template: str, tag: str | None) -> None:
        await self._templates.remove(one.template, one.tag)
        metrics.TEMPLATES_REMOVED.inc()
        metrics.TEMPLATE_BYTES_REMOVED.inc(one.size)
        self._add(one.size)
        last = "never used here" if one.last_use is None else f"last used {one.last_use:%Y-%m-%d %H:%M} UTC"
        size, pulled = format_bytes(one.size), _name(template, tag)
        message = f"Removed {one.name}:{one.tag} ({size}, {last}) to make room for {pulled}"
        await self._record_event("Normal", EventReason.TEMPLATE_REMOVED, message)

    async def _refuse(self, template: str, tag: str | None, space: Space) -> None:
        metrics.PULLS_REFUSED.inc()
        message = describe_refusal(space)
        pulled = _name(template, tag)
        await self._record_event("Warning", EventReason.NO_DISK_SPACE, f"{pulled} is not pulled: {message}")
        raise NoRoomError(message)


def _name(template: str, tag: str | None) -> str:
    return f"{template}:{tag}" if tag else template
