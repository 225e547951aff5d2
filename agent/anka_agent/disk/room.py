"""Makes room for a pull, and counts what pulls that are under way will still take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from prometheus_client import Counter

from anka_agent.anka.errors import AnkaError, GarbageError, NoRoomError, NotFoundError
from anka_agent.anka.operations import Download
from anka_agent.disk.events import Tell
from anka_agent.instances.context import Context
from anka_agent.instances.fetch import look_again
from anka_agent.plan.eviction import Held, Need, Space, evictions, gigabytes, needed, refusal

REMOVED = Counter("anka_agent_templates_removed_for_space_total", "Tags of templates removed to make room for a pull")
REMOVED_BYTES = Counter("anka_agent_removed_for_space_bytes_total", "Size of tags removed to make room, in bytes")
REFUSED = Counter("anka_agent_pulls_without_space_total", "Pulls that were not begun because they do not fit")


class Room:
    """`make` around each pull. `needs` says what must stay, `reserve` how many bytes are to be free after it."""

    def __init__(
        self, context: Context, needs: Callable[[], Sequence[Need]], reserve: Callable[[], int], tell: Tell
    ) -> None:
        self._context = context
        self._needs = needs
        self._reserve = reserve
        self._tell = tell
        self._turn = asyncio.Lock()
        self._pulls = 0
        self._left = 0
        """What is free once the pulls under way have all they need. Means nothing while there are none."""

    @asynccontextmanager
    async def make(self, template: str, tag: str | None, remote: str | None) -> AsyncIterator[None]:
        """Around the pull. Raises NoRoomError when it does not fit, AnkaError when the registry does not tell."""
        async with self._turn:
            taken = await self._admit(template, tag, remote)
        try:
            yield
        except BaseException:
            self._left += taken
            raise
        finally:
            self._pulls -= 1

    async def _admit(self, template: str, tag: str | None, remote: str | None) -> int:
        """The bytes that the pull will take, counted as taken from now on."""
        spared: set[tuple[str, str | None]] = set()
        while True:
            download = await self._ask(template, tag, remote)
            if download is None:
                self._pulls += 1
                return 0
            free = download.available if self._pulls == 0 else min(download.available, self._left)
            space = Space(download.size, free, self._reserve())
            chosen = evictions(
                self._held(template), space, lambda one: (one.template, one.tag) in spared or self._needed(one)
            )
            if chosen is None:
                await self._refuse(template, tag, space)
            elif not chosen:
                self._pulls += 1
                self._left = free - download.size
                return download.size
            else:
                # One at a time: tags share files, so only Anka knows what is free after it. And once only.
                one = chosen[0]
                spared.add((one.template, one.tag))
                if await self._in_registry(one, remote) and not self._needed(one):
                    await self._remove(one, template, tag)

    async def _ask(self, template: str, tag: str | None, remote: str | None) -> Download | None:
        """None when nothing is downloaded, or this Anka cannot tell how much: then Anka alone guards the disk."""
        try:
            return await self._context.anka.download(template, tag, remote=remote)
        except GarbageError:
            return None
        except AnkaError as error:
            if "option" in error.message:
                return None
            raise

    async def _in_registry(self, one: Held, remote: str | None) -> bool:
        """What the registry does not have could not be pulled again; it may be somebody's own VM."""
        if one.tag is None:
            return False
        try:
            return one.tag in await self._context.anka.registry_tags(one.template, remote=remote)
        except NotFoundError:
            return False

    def _held(self, pulled: str) -> list[Held]:
        """All that could go. Not the template that is pulled: its other tags save downloads; nor one that runs."""
        templates, running = self._context.templates, self._running()
        found = []
        for vm, tags in templates.held.values():
            if vm.uuid == pulled or vm.uuid in running or templates.pulling(vm.uuid):
                continue
            for tag in tags:
                used = [self._context.last_use.of(vm.uuid, tag.tag)]
                if tag.tag == vm.version:
                    used.append(vm.access_date)
                last = max((moment for moment in used if moment is not None), default=vm.creation_date)
                found.append(Held(vm.uuid, tag.tag, vm.name, tag.size or vm.image_size or 0, last))
        return found

    def _running(self) -> set[str]:
        return {vm.uuid for vm in self._context.inventory.templates() if vm.running}

    def _needed(self, one: Held) -> bool:
        return needed(one, self._needs()) is not None or one.template in self._running()

    async def _remove(self, one: Held, template: str, tag: str | None) -> None:
        try:
            await self._context.templates.remove(one.template, one.tag)
        finally:
            await look_again(self._context)
        REMOVED.inc()
        REMOVED_BYTES.inc(one.size)
        if self._pulls:
            self._left += one.size
        last = "never used here" if one.used is None else f"last used {one.used:%Y-%m-%d %H:%M} UTC"
        words = f"Removed {one.name}:{one.tag} ({gigabytes(one.size)}, {last}) to make room for {_name(template, tag)}"
        await self._tell("Normal", "TemplateRemoved", words)

    async def _refuse(self, template: str, tag: str | None, space: Space) -> None:
        REFUSED.inc()
        words = refusal(space)
        await self._tell("Warning", "NoDiskSpace", f"{_name(template, tag)} is not pulled: {words}")
        raise NoRoomError(words)


def _name(template: str, tag: str | None) -> str:
    return f"{template}:{tag}" if tag else template
