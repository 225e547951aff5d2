"""Pulls of templates: what several instances need is fetched once, and what is held is known."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from time import monotonic

from prometheus_client import Gauge, Histogram

from anka_agent.anka.errors import AnkaError, NotFoundError
from anka_agent.anka.operations import Operations, Tag
from anka_agent.anka.vm import Vm

log = logging.getLogger(__name__)

OnPercent = Callable[[int], None]
MakeRoom = Callable[[str, str | None, str | None], AbstractAsyncContextManager[None]]

PULL_SECONDS = Histogram(
    "anka_agent_pull_seconds",
    "Duration of pulls of templates, waiting for their turn left out, in seconds",
    ["result"],
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1200, 2400, 3600, 7200, 21600),
)
PULL_PERCENT = Gauge(
    "anka_agent_pull_progress_percent", "Progress of pulls that are under way, in percent", ["template", "tag"]
)


class Templates:
    """Templates and tags on this Mac, refreshed when the list of templates changes and after each pull."""

    def __init__(self, anka: Operations, *, pulls: int = 2) -> None:
        self.held: dict[str, tuple[Vm, tuple[Tag, ...]]] = {}
        """By UUID."""
        self.arch: str | None = None
        """Architecture of the Mac as its templates tell it."""
        self.make_room: MakeRoom = lambda template, tag, remote: nullcontext()
        """Around each pull; raises AnkaError for one that does not fit."""
        self._anka = anka
        self._slots = asyncio.Semaphore(pulls)
        self._pulling: dict[tuple[str, str | None], asyncio.Task[None]] = {}
        self._watchers: dict[tuple[str, str | None], list[OnPercent]] = {}
        self._known: dict[str, str | None] | None = {}
        self._asked = 0
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

    def pulling(self, template: str) -> bool:
        """Whether a pull of any of its tags is under way, or waits for its turn."""
        return any(key[0] == template for key in self._pulling)

    async def remove(self, template: str, tag: str | None) -> None:
        """Delete the tag, or all of the template, from this Mac. Not while it is pulled. Raises AnkaError.

        It counts as not held at once, and a pull of it waits until it is gone: a VM that is asked for meanwhile is
        made from a new copy, never from half of the old one.
        """
        _, tags = self.held.get(template, (None, ()))
        if tag is not None and {held.tag for held in tags} <= {tag}:
            tag = None  # a template without tags is of no use
        over = asyncio.Event()
        self._removing[template] = (tag, over)
        try:
            log.info("removing a template", extra={"template": template, "tag": tag})
            await self._anka.delete(template, tag)
        finally:
            del self._removing[template]
            self.held.pop(template, None)
            self._known = None
            self._applied = self._asked
            over.set()

    async def refresh(self, templates: list[Vm], *, force: bool = False) -> None:
        """Read the tags of these templates where something changed. Raises AnkaError."""
        seen = {vm.uuid: vm.version for vm in templates}
        if seen == self._known and not force:
            return
        self._asked += 1
        turn = self._asked
        held: dict[str, tuple[Vm, tuple[Tag, ...]]] = {}
        for vm in templates:
            try:
                details = await self._anka.show(vm.uuid)
                held[vm.uuid] = (details, tuple(await self._tags(details)))
            except NotFoundError:
                continue
            self.arch = details.arch or self.arch
        if turn <= self._applied:
            return  # a slow look at what was there before: another that began later knows better
        self._applied = turn
        self.held = held
        self._known = seen

    async def _tags(self, vm: Vm) -> list[Tag]:
        try:
            return await self._anka.tags(vm.uuid)
        except AnkaError:
            # An Anka that cannot list tags still tells the one in use.
            return [Tag(vm.version, None, vm.image_size)] if vm.version else []

    async def pull(self, template: str, tag: str | None, remote: str | None, on_percent: OnPercent) -> None:
        """Have it on this Mac; joins a pull of the same that is under way. Raises AnkaError.

        Cancelling one caller leaves the pull to the others; the last one ends it.
        """
        key = (template, tag)
        watchers = self._watchers.setdefault(key, [])
        watchers.append(on_percent)
        task = self._pulling.get(key)
        if task is None:
            task = asyncio.create_task(self._pull(key, remote), name=f"pull {template}")
            self._pulling[key] = task
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if len(watchers) == 1:
                task.cancel()
                await asyncio.wait([task])
            raise
        finally:
            watchers.remove(on_percent)
            if not watchers:
                self._watchers.pop(key, None)

    async def _pull(self, key: tuple[str, str | None], remote: str | None) -> None:
        template, tag = key

        def tell(percent: int) -> None:
            PULL_PERCENT.labels(template, tag or "").set(percent)
            for watcher in tuple(self._watchers.get(key, ())):
                watcher(percent)

        try:
            async with self._slots:
                while (removal := self._removing.get(template)) is not None:
                    await removal[1].wait()
                async with self.make_room(template, tag, remote):
                    log.info("pulling a template", extra={"template": template, "tag": tag})
                    with _measured(template, tag or ""):
                        await self._anka.pull(template, tag, remote=remote, on_percent=tell)
        finally:
            del self._pulling[key]


@contextmanager
def _measured(template: str, tag: str) -> Iterator[None]:
    """Metrics of one pull."""
    began, result = monotonic(), "failed"
    PULL_PERCENT.labels(template, tag).set(0)
    try:
        yield
        result = "done"
    except asyncio.CancelledError:
        result = "cancelled"
        raise
    finally:
        PULL_PERCENT.remove(template, tag)
        PULL_SECONDS.labels(result).observe(monotonic() - began)
