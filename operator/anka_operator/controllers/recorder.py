"""Events for people. They are a courtesy: one that can't be written is logged, and holds nothing up."""

from __future__ import annotations

import logging
from collections import OrderedDict
from datetime import datetime
from typing import Any

from anka_crds.kube.errors import AlreadyExists, ApiError, NotFound
from anka_crds.kube.unstructured import EVENTS, Unstructured
from anka_crds.process.clock import Clock
from anka_operator import metrics
from anka_operator.cluster import Cluster
from anka_operator.reconcile.event import repeated

log = logging.getLogger(__name__)

REMEMBERED = 2000
"""Events that can be counted up without reading them first."""


class Recorder:
    """`identity`: of this process, as Events show it."""

    def __init__(self, cluster: Cluster, clock: Clock, *, identity: str) -> None:
        self.identity = identity
        self._cluster = cluster
        self._clock = clock
        self._posted: OrderedDict[tuple[str, str], Unstructured] = OrderedDict()

    def now(self) -> datetime:
        return self._clock.now()

    async def once(self, event: dict[str, Any]) -> None:
        """One that has a name of its own: what happened once is told once, whoever tells it."""
        try:
            await self._create(event)
        except AlreadyExists:
            return
        except ApiError as error:
            _not_written(event, error)

    async def again(self, event: dict[str, Any]) -> None:
        """One that may have been told before: then that Event counts up and says the newest words."""
        key = event["metadata"]["namespace"], event["metadata"]["name"]
        try:
            posted = await self._count_up(event, self._posted.pop(key, None))
        except ApiError as error:
            _not_written(event, error)
            return
        self._posted[key] = posted
        if len(self._posted) > REMEMBERED:
            self._posted.popitem(last=False)

    async def _count_up(self, event: dict[str, Any], posted: Unstructured | None) -> Unstructured:
        if posted is None:
            try:
                return await self._create(event)
            except AlreadyExists:
                # By the leader before us, or longer ago than we remember.
                name, namespace = event["metadata"]["name"], event["metadata"]["namespace"]
                posted = await self._cluster.client.get(EVENTS, name, namespace)
        try:
            told = await self._cluster.write.events.patch(posted, repeated(posted.raw, event), guarded=False)
        except NotFound:
            # Kubernetes keeps Events for an hour.
            return await self._create(event)
        _written(event)
        return told

    async def _create(self, event: dict[str, Any]) -> Unstructured:
        created = await self._cluster.write.events.create(event, event["metadata"]["namespace"])
        _written(event)
        return created


def _written(event: dict[str, Any]) -> None:
    metrics.EVENTS.labels(event["type"], event["reason"]).inc()


def _not_written(event: dict[str, Any], error: ApiError) -> None:
    metrics.EVENT_FAILURES.inc()
    about = event["involvedObject"]
    log.warning("event not posted: %s", error, extra={"about": f"{about['kind']} {about['name']}"})
