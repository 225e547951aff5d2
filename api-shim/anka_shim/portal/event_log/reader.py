"""The end of the event log, from the registry's log server, to which the operator writes it."""

import asyncio

from anka_crds.rules.central_log import EVENT
from anka_registry.errors import RegistryError
from anka_registry.models import RegistryLog
from anka_shim.failure import Failure
from anka_shim.logs.central_logs import CentralLogs
from anka_shim.portal.event_log.answer import EventPage, read_events, select_page
from anka_shim.times import epoch

FIRST_BYTES = 1 << 20
MOST_BYTES = 16 << 20
"""Some 50,000 events: who wants older ones downloads the log."""
READERS = 2
"""At a time: others wait, for each holds this much in memory."""

OFF = (
    "there is no event log in the registry: the operator writes one with --enable-event-log (chart: eventLog.enabled), "
    "from the first event on"
)
TOO_OLD = "before: there is no such event in the last 16 MB of the event log: download the log for older ones"


class EventLogReader:
    def __init__(self, logs: CentralLogs) -> None:
        self._logs = logs
        self._turns = asyncio.Semaphore(READERS)

    async def read(self, limit: int, before: str | None) -> EventPage:
        """Raises Failure: also where nobody writes an event log."""
        found = [log for log in await self._logs.all() if log.service == EVENT]
        if not found:
            raise Failure(OFF)
        log = max(found, key=lambda one: epoch(one.modified))
        async with self._turns:
            size = FIRST_BYTES if before is None else MOST_BYTES
            page = await self._read(log, size, limit, before)
            if page is not None and size < MOST_BYTES and not page.has_more and log.size > size:
                # Few, long lines.
                page = await self._read(log, MOST_BYTES, limit, before)
        if page is None:
            raise Failure(TOO_OLD)
        return page

    async def _read(self, log: RegistryLog, size: int, limit: int, before: str | None) -> EventPage | None:
        chunks = []
        try:
            async with self._logs.content(log, size) as content:
                chunks = [chunk async for chunk in content]
        except RegistryError as error:
            raise Failure(f"the event log is not known: {error}") from error
        tail = b"".join(chunks)

        def select() -> EventPage | None:
            return select_page(read_events(tail, is_whole=len(tail) < size), limit, before)

        return await asyncio.to_thread(select)
