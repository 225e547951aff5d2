"""The heartbeat of a node, like a kubelet's: a Lease that is renewed at a steady rate by the machine that holds it."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from anka_kube.client import KubeClient
from anka_kube.errors import AlreadyExists, ApiError, Conflict, NotFound, NotHolding, Unreachable
from anka_kube.lease import CHALLENGER, LEASES, Lease, micro_time
from anka_kube.unstructured import Meta
from anka_runtime.background import Background
from anka_runtime.backoff import Random, system_random
from anka_runtime.clock import Clock, Sleep, SystemClock

log = logging.getLogger(__name__)


class LeaseTaken(Exception):
    """Another machine holds the Lease now; str() is one line."""


@dataclass(eq=False)
class LeaseHeartbeat(Background):
    """Renews one Lease, and creates it if it does not exist, through outages of any length, until another holds it.

    The first write of a process sets holder, duration and owner; later ones set `renewTime` and `annotate` alone. Every
    write is guarded by the version of the Lease, so that a machine that slept cannot renew what another has taken.
    """

    client: KubeClient
    namespace: str
    name: str
    holder: str
    _: KW_ONLY
    duration_seconds: int
    renew_seconds: float
    owner_reference: Mapping[str, Any] | None = None
    """Can be set later: the next creation, or the first write, uses it."""
    claimed: Lease | None = None
    """The Lease that this machine may take: what it was when it was found to be free."""
    annotate: Callable[[], Awaitable[Mapping[str, str]]] | None = None
    """Annotations of the Lease that go with each renewal, at no further cost. It must be quick, and raise nothing."""
    pace: Callable[[], float] | None = None
    """Seconds between two renewals, where they are not always `renew_seconds`."""
    clock: Clock = field(default_factory=SystemClock)
    chance: Random = system_random
    sleep: Sleep = asyncio.sleep

    def __post_init__(self) -> None:
        if not 0 < self.renew_seconds < self.duration_seconds:
            raise ValueError(
                "the heartbeat must be renewed within its duration, "
                f"got {self.renew_seconds:g} s of {self.duration_seconds} s"
            )
        self._version = self.claimed.metadata.resource_version if self.claimed is not None else None
        self._described = False
        self._succeeded_at: float | None = None
        self._last_problem = ""

    @property
    def last_success_age(self) -> float:
        """Seconds since the last renewal that the API confirmed was asked for; infinite before the first one."""
        return math.inf if self._succeeded_at is None else self.clock.monotonic() - self._succeeded_at

    @property
    def is_held(self) -> bool:
        """Whether no other machine can hold the Lease."""
        return self.last_success_age < self.duration_seconds

    def check_held(self) -> None:
        """The fence of what only the holder may do. Raises NotHolding."""
        if not self.is_held:
            raise NotHolding

    @property
    def task_name(self) -> str:
        return f"heartbeat {self.name}"

    async def run(self) -> None:
        """Renew until cancelled. Raises LeaseTaken."""
        while True:
            interval = self.renew_seconds if self.pace is None else self.pace()
            try:
                await self.beat()
            except ApiError as error:
                # Where nobody listens, a thousand Macs must not be back in one moment.
                interval /= 1 if isinstance(error, Unreachable) and not error.sent else 2
                text = str(error)
                level = logging.DEBUG if text == self._last_problem else logging.WARNING
                log.log(level, "heartbeat: %s; trying again", text)
                self._last_problem = text
            except LeaseTaken:
                raise
            except Exception:  # a node without heartbeat loses its VMs: a bug is logged, and must not end the loop
                log.exception("heartbeat failed; it goes on")
            # Nodes that start together must not renew at the same instant.
            await self.sleep(interval * (0.9 + 0.1 * self.chance()))

    async def beat(self) -> None:
        """Renew once. Raises ApiError, LeaseTaken."""
        # Before the write: another machine may count from the moment at which the Lease changed, not from our answer.
        asked_at = self.clock.monotonic()
        try:
            lease = await self._write()
        except Conflict:
            # Who is refused by the holder writes that into the Lease, and an answer to us may have been lost.
            lease = await self.client.get(LEASES, self.name, self.namespace, deadline=self.renew_seconds)
            self._check_holder(lease)
            asked_at = self.clock.monotonic()
            lease = await self._write()
        self._version = lease.metadata.resource_version
        self._described = True
        self._succeeded_at = asked_at
        if self._last_problem:
            log.info("heartbeat: the API answers again")
            self._last_problem = ""

    def _check_holder(self, lease: Lease) -> None:
        if lease.holder not in (None, self.holder):
            self._succeeded_at = None
            raise LeaseTaken(f"another machine is this node now ({lease.holder}): this one stops, its VMs stay")
        self._version = lease.metadata.resource_version

    async def _write(self) -> Lease:
        told = {} if self.annotate is None else await self.annotate()
        now = self.clock.now()
        spec: dict[str, Any] = {"renewTime": micro_time(now)}
        patch: dict[str, Any] = {"spec": spec}
        metadata: dict[str, Any] = {}
        annotations: dict[str, str | None] = dict(told)
        if not self._described:
            spec |= {"holderIdentity": self.holder, "leaseDurationSeconds": self.duration_seconds}
            if self.claimed is not None and self.claimed.holder != self.holder:
                spec |= {"acquireTime": micro_time(now), "leaseTransitions": self.claimed.transitions + 1}
                annotations[CHALLENGER] = None
            if self.owner_reference is not None:
                metadata["ownerReferences"] = [dict(self.owner_reference)]
        if annotations:
            metadata["annotations"] = annotations
        if metadata:
            patch["metadata"] = metadata
        version, deadline = self._version, self.renew_seconds
        if version is not None:
            try:
                return await self.client.patch(
                    LEASES, self.name, patch, self.namespace, resource_version=version, deadline=deadline, retry=False
                )
            except NotFound:
                self._version = None
        owners = (self.owner_reference,) if self.owner_reference is not None else ()
        meta = Meta(self.name, self.namespace, annotations=told, owner_references=owners)
        lease = Lease(meta, self.holder, self.duration_seconds, acquire_time=now, renew_time=now)
        try:
            return await self.client.create(LEASES, lease, deadline=deadline)
        except AlreadyExists as error:
            # Created by another process in the meantime: whose it is shows in it.
            raise Conflict(error.status, error.reason, error.message, action=error.action) from error
