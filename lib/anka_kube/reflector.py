"""Keeps a `Store` equal to the API: list, then watch, forever; or a stream that begins with all objects.

It ends only when cancelled. Whatever the API does (410 as status or inside the stream, 5xx, 429, cut or silent
connections, garbage), the store converges, and every deletion is reported, including those during an interruption of
the watch.
"""

import asyncio
import logging
import math
from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Generic, NoReturn

import orjson

from anka_kube import metrics
from anka_kube.client import KubeClient
from anka_kube.errors import ApiError, Gone, Invalid, NotFound, TooManyRequests, Unreachable, from_status
from anka_kube.initial_events import InitialEvents, is_end
from anka_kube.lines import LineSplitter, LineTooLong
from anka_kube.pacing import Pace, PromptPace, SpreadPace, TurnWindow
from anka_kube.resource import ALL, Key, M, Selection
from anka_kube.store import Store
from anka_runtime.background import Background
from anka_runtime.backoff import Backoff, Random, system_random
from anka_runtime.clock import Clock, Sleep, SystemClock

log = logging.getLogger(__name__)

FAULTS_BEFORE_RELIST = 3
"""Consecutive streams that break at the same resourceVersion before the reflector lists again."""

WORKED_SECONDS = 5.0
"""A stream that stays open this long works, even if the server sends nothing."""

INITIAL_SECONDS = 60.0
"""Longest time that the initial events of a stream may take."""

EARLY_SECONDS = 2.0
"""A stream that ends more than this before its time was ended by the server, and perhaps those of all others too."""


class BrokenStream(Exception):
    """The stream contains an error event, or something that is not a watch event."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(eq=False)
class Reflector(Background, Generic[M]):
    """One list-and-watch loop. Run it as a task, or use it as an async context manager.

    `synced` is set when the first list is in the store. `connected` is true while a stream is open.
    `inactivity_seconds` must exceed the apiserver's bookmark interval (about 60 s).

    `spread`: for a reflector that is one of many alike, for few objects each. It asks for a stream that begins with all
    objects, one request instead of two, or lists (unpaged: such lists the apiserver answers from memory) if the API has
    no such streams. Once its stream was cut, or could not be resumed, it starts anew: that apiserver has probably
    forgotten the changes since, and to ask first would be a request more. The store serves meanwhile.
    """

    client: KubeClient
    store: Store[M]
    _: KW_ONLY
    selection: Selection = ALL
    page_size: int = 500
    inactivity_seconds: float = 90.0
    server_timeout_seconds: float = 300.0
    gather_seconds: float = 0.0
    """For many events that need not be known at once: how long after some have come the next ones may wait, so that
    they come together."""
    backoff: Backoff = field(default_factory=Backoff)
    spread: TurnWindow | None = None
    clock: Clock = field(default_factory=SystemClock)
    chance: Random = system_random
    sleep: Sleep = asyncio.sleep

    def __post_init__(self) -> None:
        self.resource = self.store.resource
        self.synced = asyncio.Event()
        self.connected = False
        self._pace: Pace = PromptPace(self.backoff, self.chance)
        if self.spread is not None:
            self._pace = SpreadPace(self.spread, self.chance)
        self._version = ""
        self._relist_reason = "start"
        self._streams_lists = self.spread is not None
        self._initial: InitialEvents[M] | None = None
        self._paged = self.spread is None
        self._faults = 0
        self._last_data_at: float | None = None
        self._last_problem = ""
        self._unparsable: set[tuple[str, str]] = set()

    @property
    def last_event_age(self) -> float:
        """Seconds since the API last sent data; infinite before the first time."""
        return math.inf if self._last_data_at is None else self.clock.monotonic() - self._last_data_at

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
            except Exception as error:  # a bug is logged, and must not end the loop
                log.exception("reflector of %s failed; it goes on", self.resource.label)
                delay = self._after_error(error)
            finally:
                self.connected = False
            if delay > 0:
                await self.sleep(delay)

    async def _step(self) -> float:
        """One list if necessary, then one watch stream. Returns the seconds to wait before the next step."""
        if self._relist_reason and not self._streams_lists:
            await self._list()
        started, version = self.clock.monotonic(), self._version
        lasts = max(1.0, round(self.server_timeout_seconds * (0.8 + 0.4 * self.chance())))
        try:
            await self._watch(lasts)
        finally:
            self._initial = None
            lasted = self.clock.monotonic() - started
            worked = self._version != version or lasted >= WORKED_SECONDS
            if worked:
                self._pace.reset()
        metrics.WATCH_RESTARTS.labels(self.resource.label, "ended").inc()
        if not worked:
            # A server that ends every stream at once must not cause a busy loop.
            return self._pace.after_error()
        return self._pace.after_end() if lasted < lasts - EARLY_SECONDS else 0.0

    def _after_error(self, error: Exception) -> float:
        """Decide how to continue. Returns the seconds to wait."""
        reason = error.reason if isinstance(error, ApiError) else type(error).__name__
        metrics.WATCH_RESTARTS.labels(self.resource.label, reason).inc()
        if isinstance(error, Gone):
            if self._relist_reason:
                # The continue token expired between two pages: list everything in one answer next time.
                self._paged = False
            self._relist_reason = "expired"
            return self._pace.before_list(error.retry_after)
        if isinstance(error, Invalid) and self._relist_reason and self._streams_lists:
            log.debug("%s: streams of this API do not begin with all objects: %s", self.resource.label, error)
            self._streams_lists = False
            return 0.0
        self._report(error)
        if isinstance(error, NotFound):
            self._relist_reason = "not served"
        elif isinstance(error, Unreachable | TooManyRequests) and self.spread is not None:
            # 429: the apiserver forgets the changes of a kind when its CRD changes, and answers so until it has the
            # objects again.
            self._relist_reason = error.reason.lower()
        elif isinstance(error, BrokenStream):
            self._faults += 1
            if self._faults >= FAULTS_BEFORE_RELIST:
                self._faults = 0
                self._relist_reason = "broken stream"
        return self._pace.after_error(error.retry_after if isinstance(error, ApiError | BrokenStream) else None)

    async def _list(self) -> None:
        label = self.resource.label
        metrics.RELISTS.labels(label, self._relist_reason).inc()
        begun = self.store.begin_list()
        items: list[M] = []
        skipped: set[str] = set()
        version = ""
        async for page in self.client.list_pages(
            self.resource,
            self.selection,
            limit=self.page_size if self._paged else 0,
            retry=False,
        ):
            self._last_data_at = self.clock.monotonic()
            for raw in page.items:
                obj = self._parse(raw)
                if obj is not None:
                    items.append(obj)
                else:
                    skipped.add(_uid(raw))
            version = page.resource_version
        self._take_over(items, version, begun, skipped)

    def _take_over(self, items: Collection[M], version: str, begun: int, skipped: Collection[str]) -> None:
        """The store becomes equal to a complete list."""
        self.store.replace(items, version, begun, skipped)
        self._version = version
        self._relist_reason = ""
        self._paged = self.spread is None
        self._report_recovery()
        self.synced.set()

    async def _watch(self, lasts: float) -> None:
        lines = LineSplitter()
        if self._relist_reason:
            metrics.RELISTS.labels(self.resource.label, self._relist_reason).inc()
            self._initial = InitialEvents(self.store.begin_list(), self.clock.monotonic())
        async with self.client.watch(
            self.resource,
            self.selection,
            resource_version=None if self._initial is not None else self._version,
            timeout_seconds=int(lasts),
            inactivity_seconds=self.inactivity_seconds,
            # A stream that begins with all objects is read at once; the next one, in some minutes, gathers.
            gather_seconds=self.gather_seconds if self._initial is None else 0.0,
        ) as chunks:
            self.connected = self._initial is None
            if self.connected and not self._faults:
                self._report_recovery()
            async for chunk in chunks:
                self._last_data_at = self.clock.monotonic()
                try:
                    complete = lines.feed(chunk)
                except LineTooLong as error:
                    raise BrokenStream(str(error)) from error
                for line in complete:
                    self._apply(line)
                if self._initial is not None and self.clock.monotonic() - self._initial.started > INITIAL_SECONDS:
                    raise BrokenStream(f"not all objects came within {INITIAL_SECONDS:g} s")

    def _apply(self, line: bytes) -> None:
        """One event of the stream."""
        try:
            event = orjson.loads(line)
            type_, raw = event["type"], event["object"]
            if type_ == "ERROR":
                self._raise_error_event(raw)
            metadata = raw["metadata"]
            version = str(metadata["resourceVersion"])
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise BrokenStream(f"not a watch event: {line[:80]!r} ({type(error).__name__})") from error
        key = (metadata.get("namespace") or "", metadata.get("name") or "")
        if self._initial is not None:
            self._collect(self._initial, type_, key, raw)
            return
        if type_ in ("ADDED", "MODIFIED"):
            obj = None if self.store.has_version(key, version) else self._parse(raw)
            if obj is not None:
                self.store.observe(obj)
        elif type_ == "DELETED":
            self.store.observe_deleted(key, metadata.get("uid") or "", version)
        elif type_ != "BOOKMARK":
            log.warning("watch of %s sent an unknown event type %r; skipped", self.resource.label, type_)
        self.store.advance(version)
        self._version = version
        self._faults = 0
        self._report_recovery()

    def _collect(self, initial: InitialEvents[M], type_: str, key: Key, raw: dict[str, Any]) -> None:
        """One of the events that stand for a list."""
        if type_ in ("ADDED", "MODIFIED"):
            initial.put(key, _uid(raw), self._parse(raw))
        elif type_ == "DELETED":
            initial.remove(key)
        elif type_ == "BOOKMARK" and is_end(_metadata(raw)):
            version = str(_metadata(raw)["resourceVersion"])
            self._initial = None
            self._take_over(initial.objects.values(), version, initial.begun, initial.unparsable)
            self.connected = True
            self._faults = 0

    def _raise_error_event(self, raw: Any) -> NoReturn:
        error = from_status(raw if isinstance(raw, dict) else {}, action=f"watch {self.resource.label}")
        if isinstance(error, Gone):
            raise error
        raise BrokenStream(f"error event: {error}", error.retry_after)

    def _parse(self, raw: dict[str, Any]) -> M | None:
        """The typed object, or None for one that this version cannot parse: it is logged once, and skipped."""
        try:
            return self.resource.parse(raw)
        except Exception as error:  # any exception of a model
            metrics.UNPARSABLE.labels(self.resource.label).inc()
            metadata = _metadata(raw)
            seen = (str(metadata.get("uid")), str(metadata.get("resourceVersion")))
            if seen not in self._unparsable:
                if len(self._unparsable) >= 1000:
                    self._unparsable.clear()
                self._unparsable.add(seen)
                log.error(  # noqa: TRY400 - the object is at fault: a traceback of the model does not help
                    "skipped %s %s/%s at resourceVersion %s: %s",
                    self.resource.label,
                    metadata.get("namespace") or "",
                    metadata.get("name"),
                    seen[1],
                    " ".join(str(error).split())[:500],
                )
            return None

    def _report(self, error: Exception) -> None:
        """Log a problem once, not at every attempt."""
        if isinstance(error, NotFound):
            text = f"{self.resource.label} is not served by this API (CRD not installed yet?)"
        else:
            text = str(error)
        level = logging.DEBUG if text == self._last_problem else logging.WARNING
        self._last_problem = text
        log.log(level, "%s; trying again until it works", text, extra={"resource": self.resource.label})

    def _report_recovery(self) -> None:
        if self._last_problem:
            log.info("%s: the API answers again", self.resource.label)
            self._last_problem = ""


def _uid(raw: Any) -> str:
    return str(_metadata(raw).get("uid") or "")


def _metadata(raw: Any) -> dict[str, Any]:
    """Of an object that may be anything."""
    metadata = raw.get("metadata") if isinstance(raw, dict) else None
    return metadata if isinstance(metadata, dict) else {}
