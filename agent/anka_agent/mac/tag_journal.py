"""What is known of the tags on this Mac that anka does not tell: the last use, which content was pulled, and whether a
VM of it has started."""

import asyncio
import json
import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from anka_agent.jobs.files import write_json
from anka_runtime.files import read_text

log = logging.getLogger(__name__)

USE_EVERY = timedelta(minutes=1)
"""A tag that is used again and again is written this often: what was used last in a minute does not matter when space
is short, and each write holds up the start of a VM."""


@dataclass(frozen=True, slots=True)
class TagRecord:
    """`content_id`: what the registry had under the tag when it was pulled; None if it was not pulled by this agent."""

    last_use: datetime
    content_id: str | None = None
    has_started: bool = False
    """Whether a VM of this content has started here."""


class TagJournal:
    """One record for each template and tag, in a file. If writing fails, it is kept for the life of this process."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known: dict[tuple[str, str], TagRecord] = {} if file is None else _read(file)
        self._written = dict(self._known)
        self._writing = asyncio.Lock()

    def last_use(self, template: str, tag: str | None) -> datetime | None:
        record = self._known.get((template, tag or ""))
        return None if record is None else record.last_use

    def content_id(self, template: str, tag: str | None) -> str | None:
        record = self._known.get((template, tag or ""))
        return None if record is None else record.content_id

    def has_started(self, template: str, tag: str | None) -> bool:
        record = self._known.get((template, tag or ""))
        return record is not None and record.has_started

    async def record_use(self, template: str, tag: str | None, moment: datetime) -> None:
        """Raises nothing: failing to write this must not block a VM."""
        key = template, tag or ""
        self._known[key] = replace(self._known.get(key, TagRecord(moment)), last_use=moment)
        async with self._writing:
            written = self._written.get(key)
            if written is None or not timedelta(0) <= moment - written.last_use < USE_EVERY:
                await self._write()

    async def record_pull(self, template: str, tag: str | None, content_id: str | None, moment: datetime) -> None:
        """Raises nothing: at worst, it is pulled once more."""
        is_same = content_id is not None and content_id == self.content_id(template, tag)
        has_started = is_same and self.has_started(template, tag)
        self._known[template, tag or ""] = TagRecord(moment, content_id, has_started)
        async with self._writing:
            await self._write()

    async def record_start(self, template: str, tag: str | None, moment: datetime) -> None:
        """Raises nothing; writes once for each content."""
        if self.has_started(template, tag):
            return
        key = template, tag or ""
        self._known[key] = replace(self._known.get(key, TagRecord(moment)), has_started=True)
        async with self._writing:
            await self._write()

    async def keep_only(self, held: Collection[tuple[str, str | None]]) -> None:
        """Forget all but these; writes only if there is something to forget."""
        alive = {(template, tag or "") for template, tag in held}
        if stale := self._known.keys() - alive:
            for key in stale:
                del self._known[key]
            async with self._writing:
                await self._write()

    async def _write(self) -> None:
        """One at a time, each with all that is known by then: the last write is never an older one."""
        if self._file is None:
            return
        known = dict(self._known)
        rows = [
            [template, tag, record.last_use.isoformat(), record.content_id] for (template, tag), record in known.items()
        ]
        # Beside the rows: an older agent, if the update is taken back, reads rows of four.
        started = [key for key, record in known.items() if record.has_started]
        try:
            await asyncio.to_thread(write_json, self._file, {"tags": rows, "started": started})
        except OSError as error:
            log.warning("what is known of the tags here is not written: %s", error)
        else:
            self._written = known


def _read(file: Path) -> dict[tuple[str, str], TagRecord]:
    try:
        kept = json.loads(read_text(file))
        started = {(template, tag) for template, tag in kept.get("started", [])}
        return {
            (str(template), str(tag)): TagRecord(
                datetime.fromisoformat(moment),
                None if content_id is None else str(content_id),
                (template, tag) in started,
            )
            for template, tag, moment, content_id in kept["tags"]
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be read, and is started anew: %s", file, error)
        return {}
