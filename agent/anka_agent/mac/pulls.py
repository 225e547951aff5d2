"""Pulls of templates: one that several instances need is pulled only once."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from time import monotonic

from anka_agent import metrics
from anka_agent.anka.cli import AnkaCli
from anka_agent.mac.templates import TemplateCache

log = logging.getLogger(__name__)

OnPercent = Callable[[int], None]
IsPulling = Callable[[str], bool]
Admit = Callable[[str, str | None, str | None, IsPulling], AbstractAsyncContextManager[None]]


@dataclass(eq=False, slots=True)
class PullJob:
    """In progress, or waiting for a slot. `content_id`: what the registry had under the tag before it began."""

    template: str
    tag: str | None
    content_id: str | None
    watchers: list[OnPercent] = field(default_factory=list)

    def report(self, percent: int) -> None:
        metrics.PULL_PERCENT.labels(self.template, self.tag or "").set(percent)
        for watcher in tuple(self.watchers):
            watcher(percent)


class TemplatePuller:
    """`admit` is entered around each pull; it raises AnkaError for a pull that does not fit. `pulls` run at a time."""

    def __init__(self, anka: AnkaCli, templates: TemplateCache, admit: Admit, *, pulls: int = 2) -> None:
        self._anka = anka
        self._templates = templates
        self._admit = admit
        self._slots = asyncio.Semaphore(pulls)
        self._pulling: dict[tuple[str, str | None], tuple[PullJob, asyncio.Task[None]]] = {}

    def is_pulling(self, template: str) -> bool:
        """Whether a pull of any of its tags is in progress, or waits for a slot."""
        return any(key[0] == template for key in self._pulling)

    async def fetch(
        self,
        template: str,
        tag: str | None,
        remote: str | None,
        on_percent: OnPercent,
        *,
        content_id: str | None = None,
    ) -> bool:
        """Get it onto this Mac, and have that reported, or join a pull of the same in progress. Raises AnkaError.
        `content_id`: what the registry has under the tag by now. False: anka does not list what was pulled.

        Cancelling one caller leaves the pull to the others; cancelling the last one ends it.
        """
        while (found := self._pulling.get((template, tag))) is not None and found[0].content_id != content_id:
            # It may have begun before the tag was pushed again.
            await asyncio.wait([found[1]])
        if found is None and self._templates.has_content(template, tag, content_id):
            return True  # since the caller looked
        pull, task = found or self._begin(PullJob(template, tag, content_id), remote)
        pull.watchers.append(on_percent)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if len(pull.watchers) == 1:
                task.cancel()
                await asyncio.wait([task])
            raise
        finally:
            pull.watchers.remove(on_percent)
        return self._templates.holds(template, tag)

    def _begin(self, pull: PullJob, remote: str | None) -> tuple[PullJob, asyncio.Task[None]]:
        begun = pull, asyncio.create_task(self._pull(pull, remote), name=f"pull {pull.template}")
        self._pulling[pull.template, pull.tag] = begun
        return begun

    async def _pull(self, pull: PullJob, remote: str | None) -> None:
        template, tag = pull.template, pull.tag
        try:
            async with self._slots:
                await self._templates.wait_for_removal(template)
                async with self._admit(template, tag, remote, self.is_pulling):
                    log.info("pulling a template", extra={"template": template, "tag": tag})
                    with _measure(template, tag or ""):
                        await self._anka.pull(template, tag, remote=remote, on_percent=pull.report)
            # As a part of the pull: who comes before this is known would pull the same again.
            await self._templates.observe()
            await self._templates.record_pull(template, tag, pull.content_id)
        finally:
            del self._pulling[template, tag]


@contextmanager
def _measure(template: str, tag: str) -> Iterator[None]:
    """Metrics of one pull."""
    began, result = monotonic(), "failed"
    metrics.PULL_PERCENT.labels(template, tag).set(0)
    try:
        yield
        result = "done"
    except asyncio.CancelledError:
        result = "cancelled"
        raise
    finally:
        metrics.PULL_PERCENT.remove(template, tag)
        metrics.PULL_SECONDS.labels(result).observe(monotonic() - began)
