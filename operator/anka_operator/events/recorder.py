"""Posts Events. They are a courtesy to users: one that cannot be written is logged and delays nothing."""

import logging
from collections import OrderedDict
from contextlib import suppress
from datetime import datetime
from typing import Any

from anka_kube.errors import AlreadyExists, ApiError, NotFound
from anka_kube.unstructured import EVENTS, Unstructured
from anka_operator import metrics
from anka_operator.cluster.access import AnkaCluster
from anka_operator.events.event import count_patch
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

CACHED_EVENTS = 2000
"""Events whose count can go up without reading them first."""


class EventRecorder:
    """`identity`: this process, as shown in Events."""

    def __init__(self, cluster: AnkaCluster, clock: Clock, *, identity: str) -> None:
        self.identity = identity
        self._cluster = cluster
        self._clock = clock
        self._posted: OrderedDict[tuple[str, str], Unstructured] = OrderedDict()

    def now(self) -> datetime:
        return self._clock.now()

    async def post_once(self, event: dict[str, Any]) -> None:
        """For an Event with a name of its own: it is posted once, by the first process to try."""
        try:
            with suppress(AlreadyExists):
                await self._create(event)
        except ApiError as error:
            _log_failure(event, error)

    async def post_or_count(self, event: dict[str, Any]) -> None:
        """For an Event that may have been posted before: its count then goes up and it shows the newest message."""
        key = event["metadata"]["namespace"], event["metadata"]["name"]
        try:
            posted = await self._count_up(event, self._posted.pop(key, None))
        except ApiError as error:
            _log_failure(event, error)
            return
        self._posted[key] = posted
        if len(self._posted) > CACHED_EVENTS:
            self._posted.popitem(last=False)

    async def _count_up(self, event: dict[str, Any], posted: Unstructured | None) -> Unstructured:
        if posted is None:
            try:
                return await self._create(event)
            except AlreadyExists:
                # Posted by the previous leader, or dropped from the cache.
                about = event["metadata"]
                posted = await self._cluster.client.get(EVENTS, about["name"], about["namespace"])
        try:
            counted = await self._cluster.write.events.patch(posted, count_patch(posted.raw, event), guarded=False)
        except NotFound:
            # Kubernetes keeps Events for an hour.
            return await self._create(event)
        metrics.EVENTS.labels(event["type"], event["reason"]).inc()
        return counted

    async def _create(self, event: dict[str, Any]) -> Unstructured:
        created = await self._cluster.write.events.create(event, event["metadata"]["namespace"])
        metrics.EVENTS.labels(event["type"], event["reason"]).inc()
        return created


def _log_failure(event: dict[str, Any], error: ApiError) -> None:
    metrics.EVENT_FAILURES.inc()
    about = event["involvedObject"]
    log.warning("event not posted: %s", error, extra={"about": f"{about['kind']} {about['name']}"})
