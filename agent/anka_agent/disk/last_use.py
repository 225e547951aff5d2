"""When each template was last used here, on the Mac's disk: Anka's own date is of the tag in use only."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from anka_agent.instances import runner

log = logging.getLogger(__name__)


class LastUse:
    """By template and tag. What cannot be written is remembered as long as this process lives."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known: dict[tuple[str, str], datetime] = {} if file is None else _read(file)

    def of(self, template: str, tag: str | None) -> datetime | None:
        return self._known.get((template, tag or ""))

    async def used(self, template: str, tag: str | None, moment: datetime) -> None:
        """Raises nothing: a VM is not refused because this cannot be written."""
        self._known[template, tag or ""] = moment
        await self._write()

    async def keep(self, held: Collection[tuple[str, str | None]]) -> None:
        """Forget all but these; without a write when there is nothing to forget."""
        alive = {(template, tag or "") for template, tag in held}
        if stale := self._known.keys() - alive:
            for key in stale:
                del self._known[key]
            await self._write()

    async def _write(self) -> None:
        if self._file is None:
            return
        rows = [[template, tag, moment.isoformat()] for (template, tag), moment in self._known.items()]
        try:
            await asyncio.to_thread(runner.write, str(self._file), {"used": rows})
        except OSError as error:
            log.warning("the last use of templates is not written: %s", error)


def _read(file: Path) -> dict[tuple[str, str], datetime]:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["used"]
        return {(str(template), str(tag)): datetime.fromisoformat(moment) for template, tag, moment in rows}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be read, and is begun anew: %s", file, error)
        return {}
