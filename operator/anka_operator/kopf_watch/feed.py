"""Keeps a store equal to the API by what kopf lists and watches.

kopf's handlers see events only: an object that is deleted while its watch is down is simply missing from the next list,
and no handler is called for it. So the store takes lists from kopf's responses, and events from its handlers.
"""

import asyncio
import logging
import math
from typing import Any, Generic

import aiohttp
import kopf
import orjson
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

from anka_kube import metrics
from anka_kube.resource import M
from anka_kube.store import Store
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)


class KopfFeed(Generic[M]):
    """The feed of one kind. `synced` is set once the first list is in the store, `watching` while a watch is open."""

    def __init__(self, store: Store[M], clock: Clock) -> None:
        self.store = store
        self.resource = store.resource
        self.synced = asyncio.Event()
        self.watching = asyncio.Event()
        self._clock = clock
        self._heard_at: float | None = None
        self._last_error = ""

    @property
    def connected(self) -> bool:
        return self.watching.is_set()

    @property
    def last_event_age(self) -> float:
        """Seconds since the API last answered or sent an event; infinite before the first time."""
        return math.inf if self._heard_at is None else self._clock.monotonic() - self._heard_at

    def register(self, registry: kopf.OperatorRegistry) -> None:
        kind = self.resource
        self.watching.clear()
        metrics.LAST_EVENT_AGE.labels(kind.label).set_function(lambda: self.last_event_age)

        @kopf.on.event(kind.group, kind.version, kind.plural, registry=registry, id=kind.plural)
        async def on_event(event: Any, **_: Any) -> None:
            self.apply_event(event["type"], event["object"])

    async def send(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Send a list or watch request of kopf for this kind. A list is in the store before kopf has it."""
        begun, was_connected = self.store.begin_list(), self.connected
        self.watching.clear()
        try:
            response = await handler(request)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._report(f"{type(error).__name__}: {error}")
            raise
        self._report("" if response.ok else f"{response.status} {response.reason}")
        if response.ok:
            self._heard_at = self._clock.monotonic()
            if "watch" in request.url.query:
                self.watching.set()
                if was_connected:
                    metrics.WATCH_RESTARTS.labels(self.resource.label, "ended").inc()
            else:
                self._apply_list(orjson.loads(await response.read()), begun)
        return response

    def _report(self, error: str) -> None:
        """Log an error once, not at every retry, and log its end."""
        if error and not self._last_error:
            log.warning("%s: %s; trying again until it works", self.resource.label, error)
        elif self._last_error and not error:
            log.info("%s: the API answers again", self.resource.label)
        self._last_error = error

    def _apply_list(self, answer: dict[str, Any], begun: int) -> None:
        reason = "expired" if self.synced.is_set() else "start"
        metrics.RELISTS.labels(self.resource.label, reason).inc()
        objects, unparsable = [], set()
        for raw in answer["items"]:
            obj = self._parse(raw)
            if obj is not None:
                objects.append(obj)
            else:
                unparsable.add(str(raw["metadata"].get("uid") or ""))
        self.store.replace(objects, str(answer["metadata"]["resourceVersion"]), begun, unparsable)
        self.synced.set()

    def apply_event(self, type_: str | None, raw: dict[str, Any]) -> None:
        """An event as kopf hands it to handlers. None: an object from a list, which the store already has."""
        if type_ is None:
            return
        self._heard_at = self._clock.monotonic()
        metadata = raw["metadata"]
        key, version = (metadata.get("namespace") or "", metadata["name"]), str(metadata["resourceVersion"])
        if type_ == "DELETED":
            self.store.observe_deleted(key, metadata.get("uid") or "", version)
        elif not self.store.has_version(key, version):
            obj = self._parse(raw)
            if obj is not None:
                self.store.observe(obj)

    def _parse(self, raw: dict[str, Any]) -> M | None:
        """None, and a line in the log, for an object that this version does not understand."""
        try:
            return self.resource.parse(raw)
        except Exception as error:  # whatever a model raises
            metrics.UNPARSABLE.labels(self.resource.label).inc()
            name = raw["metadata"].get("name")
            log.error("skipped %s %s: %s", self.resource.label, name, " ".join(str(error).split())[:500])  # noqa: TRY400
            return None
