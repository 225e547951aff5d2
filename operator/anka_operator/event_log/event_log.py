"""The event log of one process: collected from its start, sent while it leads.

The Lease of the leader says up to when all is sent. Who leads next sends what is newer: once more what may have
arrived, with the same ids, and never less. Only what began and ended while no process watched is missing.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from anka_crds.api.meta import GROUP
from anka_kube.leader import LeaderElector
from anka_operator.cluster.stores import ClusterStores
from anka_operator.event_log.memory import RecordMemory
from anka_operator.event_log.record import EventRecord, to_cloud_event, to_json
from anka_operator.event_log.shipper import RecordShipper
from anka_operator.event_log.sinks import EndpointSink, EventSink, RegistrySink
from anka_operator.event_log.tracker import RecordTracker
from anka_operator.settings import OperatorSettings
from anka_registry.access import make_access
from anka_registry.client import RegistryClient
from anka_runtime.background import child_tasks
from anka_runtime.clock import Clock
from anka_runtime.header_lines import parse_headers
from anka_runtime.secret_file import SecretFile

log = logging.getLogger(__name__)

MARK = f"{GROUP}/event-log-sent"
"""Annotation of the leader's Lease: all that was noticed before this time is sent."""
MARK_SECONDS = 10.0
REPEAT_SECONDS = 60.0
"""What was noticed so long before the mark is sent again: clocks differ, and so do the moments at which two processes
notice the same."""

FORMATS = {"json": (to_json, "application/json"), "cloudevents": (to_cloud_event, "application/cloudevents+json")}


class EventLog:
    """To be made before the caches are filled."""

    def __init__(self, stores: ClusterStores, settings: OperatorSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._memory = RecordMemory()
        self._shippers: Sequence[RecordShipper] = ()
        self._tracker = RecordTracker(stores, clock, self._on_record)

    def _on_record(self, record: EventRecord) -> None:
        self._memory.add(record)
        for shipper in self._shippers:
            shipper.add(record)

    @asynccontextmanager
    async def deliver(self, elector: LeaderElector) -> AsyncIterator[None]:
        """Send in this block, in which this process leads and its caches are current."""
        given = elector.annotations.get(MARK)
        mark = _read_mark(given)
        # Nothing was ever sent: what was before the first leader with an event log is none of its business.
        since = self._clock.now().timestamp() if mark is None else mark - REPEAT_SECONDS
        async with AsyncExitStack() as running:
            sinks = [await running.enter_async_context(self._open(name)) for name in self._sink_names()]
            shippers = [RecordShipper(sink, since if mark is None else mark) for sink in sinks]
            records, is_complete = self._memory.find_since(since)
            if mark is not None and not is_complete:
                log.error("lines of the event log are lost: the last leader could not send them for too long")
            for shipper in shippers:
                for record in records:
                    shipper.add(record)
            self._shippers = shippers
            running.callback(setattr, self, "_shippers", ())
            self._show_mark(elector, shippers)
            running.callback(self._show_mark, elector, shippers)
            for shipper in shippers:
                await running.enter_async_context(shipper)
            await running.enter_async_context(child_tasks(self._show_marks(elector, shippers)))
            log.info("the event log is sent", extra={"sinks": [sink.name for sink in sinks], "repeated": len(records)})
            yield

    async def _show_marks(self, elector: LeaderElector, shippers: Sequence[RecordShipper]) -> None:
        while True:
            await asyncio.sleep(MARK_SECONDS)
            self._show_mark(elector, shippers)

    @staticmethod
    def _show_mark(elector: LeaderElector, shippers: Sequence[RecordShipper]) -> None:
        moment = datetime.fromtimestamp(min(shipper.mark for shipper in shippers), UTC)
        elector.annotate(MARK, moment.isoformat(timespec="milliseconds"))

    def _sink_names(self) -> list[str]:
        settings = self._settings
        wanted = {RegistrySink.name: settings.registry_read_url, EndpointSink.name: settings.event_log_url}
        return [name for name, url in wanted.items() if url]

    @asynccontextmanager
    async def _open(self, name: str) -> AsyncIterator[EventSink]:
        settings, machine = self._settings, socket.gethostname()
        if name == RegistrySink.name:
            url = settings.registry_read_url or ""
            async with RegistryClient(url, access=make_access(settings, self._clock)) as registry:
                yield RegistrySink(registry, machine)
            return
        encode, media_type = FORMATS[settings.event_log_format]
        headers = None
        if settings.event_log_headers_file is not None:
            headers = SecretFile(settings.event_log_headers_file, self._clock, shortest=1, check=parse_headers)
        async with EndpointSink(settings.event_log_url or "", machine, encode, media_type, headers) as endpoint:
            yield endpoint


def _read_mark(text: str | None) -> float | None:
    """None where there is none that can be read: people may have written it."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else None
    except ValueError:
        log.warning("annotation %s of the Lease is no time: the event log begins anew", MARK)
        return None
