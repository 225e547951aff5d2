"""A Mac on which all starts fail empties, and so would be chosen first, again and again: it takes a pause instead."""

import asyncio

from anka_agent.mac.templates import TemplateCache
from anka_agent.plan.naming import Source
from anka_runtime.backoff import Backoff, Random
from anka_runtime.clock import Clock

TOLERATED = 3
"""Failures in a row that begin the first pause."""
PAUSE = Backoff(base=60.0, cap=900.0)
"""Pauses grow while the first start after each fails, too."""


class StartBackoff:
    """`report_due` is set when `problem` begins, and when a success ends it.

    A source that never started on this Mac may itself be at fault: all its failures count as one. Of a source that
    has started here, each counts."""

    def __init__(self, templates: TemplateCache, clock: Clock, report_due: asyncio.Event, chance: Random) -> None:
        self._templates = templates
        self._clock = clock
        self._report_due = report_due
        self._chance = chance
        self._unproven: set[Source] = set()
        self._proven_failures = 0
        self._pauses = 0
        self._until = 0.0
        self._message = ""

    def note_failure(self, source: Source, message: str) -> None:
        """A start from the source failed, perhaps by this Mac's fault."""
        if self._templates.has_started(source.template, source.tag, source.content_id):
            self._proven_failures += 1
        else:
            self._unproven.add(source)
        if self.problem is not None or self._proven_failures + len(self._unproven) < TOLERATED:
            return  # what fails in a pause began before it, and tells nothing new
        self._until = self._clock.monotonic() + PAUSE.delay(self._pauses, self._chance())
        self._pauses += 1
        self._message = f"starts fail here one after the other, so that it pauses; the last: {message}"
        self._report_due.set()

    async def note_success(self, source: Source) -> None:
        """A VM that was made from the source has started, and has its address."""
        if self.problem is not None:
            self._report_due.set()
        self._unproven.clear()
        self._proven_failures = self._pauses = 0
        self._until = 0.0
        await self._templates.record_start(source.template, source.tag, source.content_id)

    @property
    def problem(self) -> str | None:
        """Why the Mac takes nothing now."""
        return self._message if self._clock.monotonic() < self._until else None
