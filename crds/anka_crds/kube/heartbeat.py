"""The sign of life of a node, as a kubelet gives it: a Lease renewed at an even pace."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping
from typing import Any

from anka_crds.kube.backoff import Random, system_random
from anka_crds.kube.client import KubeClient, Sleep
from anka_crds.kube.errors import AlreadyExists, ApiError, NotFound
from anka_crds.kube.lease import LEASES, Lease, micro_time
from anka_crds.kube.unstructured import Meta
from anka_crds.process.background import Background
from anka_crds.process.clock import Clock, SystemClock

log = logging.getLogger(__name__)


class LeaseHeartbeat(Background):
    """Renews one Lease, created when it is not there, through outages of any length.

    The first write of a process states holder, duration and owner; later ones carry `renewTime` alone.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        name: str,
        holder: str,
        *,
        duration_seconds: int = 40,
        renew_seconds: float = 10.0,
        owner_reference: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
        chance: Random = system_random,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if not 0 < renew_seconds < duration_seconds:
            raise ValueError(
                f"the heartbeat must be renewed within its duration, got {renew_seconds:g} s of {duration_seconds} s"
            )
        self.owner_reference = owner_reference
        """May be set later: it is used from the next creation or first write on."""
        self._client = client
        self._namespace = namespace
        self._name = name
        self._holder = holder
        self._duration_seconds = duration_seconds
        self._renew_seconds = renew_seconds
        self._clock: Clock = clock or SystemClock()
        self._chance = chance
        self._sleep = sleep
        self._stated = False
        self._succeeded_at: float | None = None
        self._trouble = ""

    @property
    def last_success_age(self) -> float:
        """Seconds since the API last confirmed a beat; infinite before the first."""
        return math.inf if self._succeeded_at is None else self._clock.monotonic() - self._succeeded_at

    @property
    def task_name(self) -> str:
        return f"heartbeat {self._name}"

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            try:
                await self.beat()
            except ApiError as error:
                text = str(error)
                level = logging.DEBUG if text == self._trouble else logging.WARNING
                log.log(level, "heartbeat: %s; trying again", text)
                self._trouble = text
            except Exception:  # a node that stops beating loses its VMs: a bug must be loud, but not deadly
                log.exception("heartbeat failed; it goes on")
            # Nodes that started together must not all renew in the same instant.
            await self._sleep(self._renew_seconds * (0.9 + 0.1 * self._chance()))

    async def beat(self) -> None:
        """Renew once. Raises ApiError."""
        now = self._clock.now()
        spec: dict[str, Any] = {"renewTime": micro_time(now)}
        patch: dict[str, Any] = {"spec": spec}
        if not self._stated:
            spec |= {"holderIdentity": self._holder, "leaseDurationSeconds": self._duration_seconds}
            if self.owner_reference is not None:
                patch["metadata"] = {"ownerReferences": [dict(self.owner_reference)]}
        try:
            await self._client.patch(LEASES, self._name, patch, self._namespace, deadline=self._renew_seconds)
        except NotFound:
            owners = (self.owner_reference,) if self.owner_reference is not None else ()
            meta = Meta(self._name, self._namespace, owner_references=owners)
            lease = Lease(meta, self._holder, self._duration_seconds, acquire_time=now, renew_time=now)
            try:
                await self._client.create(LEASES, lease, deadline=self._renew_seconds)
            except AlreadyExists:
                # Created between our two requests; make it ours at the next beat.
                self._stated = False
                return
        self._stated = True
        self._succeeded_at = self._clock.monotonic()
        if self._trouble:
            log.info("heartbeat: the API answers again")
            self._trouble = ""
