"""Keeps a `Store` equal to the API: list, then watch, for ever.

It ends only when cancelled. Whatever the API does (410 as status or inside the stream, 5xx, 429, cut or silent
connections, garbage), the store converges again, and every deletion is told, also one that happened while nobody
was watching.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Any, Generic, NoReturn

import orjson

from anka_crds.kube import metrics
from anka_crds.kube.backoff import Backoff, Delays, Random, system_random
from anka_crds.kube.client import KubeClient, Sleep
from anka_crds.kube.errors import ApiError, Gone, NotFound, from_status
from anka_crds.kube.lines import LineSplitter, LineTooLong
from anka_crds.kube.resource import M
from anka_crds.kube.store import Callback, Store
from anka_crds.process.background import Background
from anka_crds.process.clock import Clock, SystemClock

log = logging.getLogger(__name__)

FAULTS_BEFORE_RELIST = 3
"""Streams in a row that broke at the same place before we stop trying to resume there."""

SETTLED_SECONDS = 5.0
"""A stream that lived this long worked, even when nothing happened to be sent."""


class BrokenStream(Exception):
    """The stream carried an error event, or something that no watch stream carries."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Reflector(Background, Generic[M]):
    """One list-and-watch loop. Run it as a task, or use it as an async context manager.

    `synced` is set once the first list is in the store. `connected` is true while a stream is open.
    `inactivity_seconds` must exceed the apiserver's bookmark interval (about 60 s). `relist_seconds` asks for a full
    list now and then even when all seems well.
    """

    def __init__(
        self,
        client: KubeClient,
        store: Store[M],
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        on_event: Callback[M] | None = None,
        page_size: int = 500,
        inactivity_seconds: float = 90.0,
        server_timeout_seconds: float = 300.0,
        relist_seconds: float | None = None,
        backoff: Backoff | None = None,
        clock: Clock | None = None,
        chance: Random = system_random,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.store = store
        self.resource = store.resource
        self.synced = asyncio.Event()
        self.connected = False
        self._client = client
        self._namespace = namespace
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._page_size = page_size
        self._inactivity_seconds = inactivity_seconds
        self._server_timeout_seconds = server_timeout_seconds
        self._relist_seconds = relist_seconds
        self._clock: Clock = clock or SystemClock()
        self._chance = chance
        self._sleep = sleep
        self._delays = Delays(backoff or Backoff(), chance)
        self._version = ""
        self._relist_reason = "start"
        self._relist_at = math.inf
        self._paged = True
        self._faults = 0
        self._heard_at: float | None = None
        self._trouble = ""
        self._unparsable: set[tuple[str, str]] = set()
        if on_event is not None:
            store.subscribe(on_event)

    @property
    def last_event_age(self) -> float:
        """Seconds since the API last sent anything; infinite before the first time."""
        return math.inf if self._heard_at is None else self._clock.monotonic() - self._heard_at

    @property
    def task_name(self) -> str:
        return f"reflector {self.resource.label}"

    async def run(self) -> None:
        """List and watch until cancelled."""
        metrics.LAST_EVENT_AGE.labels(self.resource.label).set_function(lambda: self.last_event_age)
        while True:
            try:
                delay = await self._step()
            except (ApiError, BrokenStream) as error:
                delay = self._after_error(error)
            except Exception as error:  # a bug here must be seen, but must not blind the process
                log.exception("reflector of %s failed; it goes on", self.resource.label)
                delay = self._after_error(error)
            finally:
                self.connected = False
            if delay > 0:
                await self._sleep(delay)

    async def _step(self) -> float:
        """One list if needed, then one watch stream. Returns the seconds to wait before the next step."""
        if self._relist_reason:
            await self._list()
        started, version = self._clock.monotonic(), self._version
        try:
            await self._watch()
        finally:
            worked = self._version != version or self._clock.monotonic() - started >= SETTLED_SECONDS
            if worked:
                self._delays.reset()
        metrics.WATCH_RESTARTS.labels(self.resource.label, "ended").inc()
        if self._clock.monotonic() >= self._relist_at:
            self._relist_reason = "interval"
        # A server that ends every stream at once must not make us spin.
        return 0.0 if worked else self._delays.next()

    def _after_error(self, error: Exception) -> float:
        """Decide how to go on; returns the seconds to wait."""
        reason = error.reason if isinstance(error, ApiError) else type(error).__name__
        metrics.WATCH_RESTARTS.labels(self.resource.label, reason).inc()
        if isinstance(error, Gone):
            if self._relist_reason:
                # The continue token died while we paged: next time take everything in one answer.
                self._paged = False
            self._relist_reason = "expired"
            first = self._delays.attempt == 0
            delay = self._delays.next(error.retry_after)
            return 0.0 if first else delay
        self._report(error)
        if isinstance(error, NotFound):
            self._relist_reason = "not served"
        elif isinstance(error, BrokenStream):
            self._faults += 1
            if self._faults >= FAULTS_BEFORE_RELIST:
                self._faults = 0
                self._relist_reason = "broken stream"
        return self._delays.next(error.retry_after if isinstance(error, ApiError | BrokenStream) else None)

    async def _list(self) -> None:
        label = self.resource.label
        metrics.RELISTS.labels(label, self._relist_reason).inc()
        begun = self.store.begin_list()
        items: list[M] = []
        skipped: set[str] = set()
        more = ""
        while True:
            page = await self._client.list_page(
                self.resource,
                self._namespace,
                label_selector=self._label_selector,
                field_selector=self._field_selector,
                limit=self._page_size if self._paged else 0,
                more=more,
                deadline=60.0,
                retry=False,
            )
            self._heard_at = self._clock.monotonic()
            for raw in page.items:
                obj = self._parse(raw)
                if obj is not None:
                    items.append(obj)
                else:
                    skipped.add(_uid(raw))
            more = page.more
            if not more:
                break
        self.store.replace(items, page.resource_version, begun, skipped)
        self._version = page.resource_version
        self._relist_reason = ""
        self._paged = True
        if self._relist_seconds is not None:
            self._relist_at = self._clock.monotonic() + self._relist_seconds * (0.8 + 0.4 * self._chance())
        self._recovered()
        self.synced.set()

    async def _watch(self) -> None:
        timeout = self._server_timeout_seconds * (0.8 + 0.4 * self._chance())
        timeout = min(timeout, max(1.0, self._relist_at - self._clock.monotonic()))
        lines = LineSplitter()
        async with self._client.watch(
            self.resource,
            self._namespace,
            resource_version=self._version,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            timeout_seconds=max(1, round(timeout)),
            inactivity_seconds=self._inactivity_seconds,
        ) as chunks:
            self.connected = True
            if not self._faults:
                self._recovered()
            async for chunk in chunks:
                self._heard_at = self._clock.monotonic()
                try:
                    complete = lines.feed(chunk)
                except LineTooLong as error:
                    raise BrokenStream(str(error)) from error
                for line in complete:
                    self._take(line)

    def _take(self, line: bytes) -> None:
        """One event of the stream."""
        try:
            event = orjson.loads(line)
            type_, raw = event["type"], event["object"]
            if type_ == "ERROR":
                self._take_error(raw)
            metadata = raw["metadata"]
            version = str(metadata["resourceVersion"])
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise BrokenStream(f"not a watch event: {line[:80]!r} ({type(error).__name__})") from error
        key = (metadata.get("namespace") or "", metadata.get("name") or "")
        if type_ in ("ADDED", "MODIFIED"):
            obj = None if self.store.holds(key, version) else self._parse(raw)
            if obj is not None:
                self.store.observe(obj)
        elif type_ == "DELETED":
            self.store.observe_deleted(key, metadata.get("uid") or "", version)
        elif type_ != "BOOKMARK":
            log.warning("watch of %s sent an unknown event type %r; skipped", self.resource.label, type_)
        self.store.advance(version)
        self._version = version
        self._faults = 0
        self._recovered()

    def _take_error(self, raw: Any) -> NoReturn:
        error = from_status(raw if isinstance(raw, dict) else {}, action=f"watch {self.resource.label}")
        if isinstance(error, Gone):
            raise error
        raise BrokenStream(f"error event: {error}", error.retry_after)

    def _parse(self, raw: dict[str, Any]) -> M | None:
        """The typed object, or None for one that this version does not understand: it is told once, and skipped."""
        try:
            return self.resource.parse(raw)
        except Exception as error:  # whatever a model raises
            metrics.UNPARSABLE.labels(self.resource.label).inc()
            metadata = raw.get("metadata") or {} if isinstance(raw, dict) else {}
            seen = (str(metadata.get("uid")), str(metadata.get("resourceVersion")))
            if seen not in self._unparsable:
                if len(self._unparsable) >= 1000:
                    self._unparsable.clear()
                self._unparsable.add(seen)
                log.error(  # noqa: TRY400 - the object is at fault, a traceback of the model helps nobody
                    "skipped %s %s/%s at resourceVersion %s: %s",
                    self.resource.label,
                    metadata.get("namespace") or "",
                    metadata.get("name"),
                    seen[1],
                    " ".join(str(error).split())[:500],
                )
            return None

    def _report(self, error: Exception) -> None:
        """Say it once, not at every try."""
        if isinstance(error, NotFound):
            text = f"{self.resource.label} is not served by this API (CRD not installed yet?)"
        else:
            text = str(error)
        level = logging.DEBUG if text == self._trouble else logging.WARNING
        self._trouble = text
        log.log(level, "%s; trying again until it works", text, extra={"resource": self.resource.label})

    def _recovered(self) -> None:
        if self._trouble:
            log.info("%s: the API answers again", self.resource.label)
            self._trouble = ""


def _uid(raw: Any) -> str:
    metadata = raw.get("metadata") if isinstance(raw, dict) else None
    return str(metadata.get("uid") or "") if isinstance(metadata, dict) else ""
