"""Leader election by a Lease: at most one process works at a time.

Every update is guarded by resourceVersion. Whether another holder is alive is judged by how long ago *we* saw its
Lease change, on our own monotonic clock, so wrong wall clocks cannot produce two leaders.
"""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Any, Self

from anka_crds.kube.backoff import Random, system_random
from anka_crds.kube.client import KubeClient, Sleep
from anka_crds.kube.errors import AlreadyExists, ApiError, Conflict, NotFound
from anka_crds.kube.lease import LEASES, Lease, micro_time
from anka_crds.kube.unstructured import Meta
from anka_crds.process.clock import Clock, SystemClock

log = logging.getLogger(__name__)


class LeaderElector:
    """One candidate. `lost` is set when leadership is over without our wish: stop working, at best exit.

    `lease_duration`, `renew_deadline` and `retry` are seconds, and must decrease in this order: we give up
    before others may take over.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        name: str,
        identity: str,
        *,
        lease_duration: float = 15.0,
        renew_deadline: float = 10.0,
        retry: float = 2.0,
        clock: Clock | None = None,
        chance: Random = system_random,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if not 0 < retry < renew_deadline < lease_duration:
            raise ValueError(
                f"leader election needs retry < renew deadline < lease duration, "
                f"got {retry:g} s, {renew_deadline:g} s, {lease_duration:g} s"
            )
        if lease_duration < 1:
            raise ValueError("a Lease counts whole seconds: its duration must be at least 1 s")
        self.identity = identity
        self.lost = asyncio.Event()
        self._client = client
        self._namespace = namespace
        self._name = name
        self._lease_duration = lease_duration
        self._renew_deadline = renew_deadline
        self._retry = retry
        self._clock: Clock = clock or SystemClock()
        self._chance = chance
        self._sleep = sleep
        self._observed: Lease | None = None
        self._observed_at = 0.0
        self._held: Lease | None = None
        self._renewed_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    @property
    def leading(self) -> bool:
        """Whether we may act as the leader right now."""
        return (
            self._held is not None
            and not self.lost.is_set()
            and self._clock.monotonic() - self._renewed_at < self._renew_deadline
        )

    @property
    def leader(self) -> str | None:
        """Who leads, as far as we know."""
        known = self._held or self._observed
        return known.holder if known is not None else None

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()

    async def acquire(self) -> None:
        """Wait until we lead, however long; then keep renewing in the background."""
        self.lost.clear()
        while True:
            started = self._clock.monotonic()
            try:
                held = await self._try_acquire()
                self._trouble = ""
            except ApiError as error:
                held = None
                self._report(error)
            if held is not None:
                self._held, self._renewed_at = held, started
                break
            await self._sleep(self._retry * (1 + 0.2 * self._chance()))
        log.info("%s leads by lease %s/%s", self.identity, self._namespace, self._name)
        self._task = asyncio.create_task(self._renew_forever(), name=f"leader election {self._name}")

    async def release(self) -> None:
        """Stop renewing and, if we lead, free the Lease so that the next one takes over at once."""
        held, self._held = self._held, None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if held is None or self.lost.is_set():
            return
        try:
            await self._update_ours(held, {"holderIdentity": None}, self._retry)
        except ApiError as error:
            log.warning("lease not released, it runs out by itself: %s", error)

    async def _try_acquire(self) -> Lease | None:
        """One attempt; None while somebody else leads. Raises ApiError."""
        try:
            lease = await self._client.get(LEASES, self._name, self._namespace, deadline=self._renew_deadline)
        except NotFound:
            return await self._create()
        now = self._clock.monotonic()
        if self._observed is None or (
            lease.metadata.uid != self._observed.metadata.uid
            or lease.metadata.resource_version != self._observed.metadata.resource_version
        ):
            self._observed, self._observed_at = lease, now
        if lease.holder is not None and lease.holder != self.identity:
            if now - self._observed_at < (lease.duration_seconds or self._lease_duration):
                return None
            log.info("lease of %s ran out", lease.holder)
        moment = micro_time(self._clock.now())
        spec = {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": round(self._lease_duration),
            "renewTime": moment,
        }
        if lease.holder != self.identity:
            spec |= {"acquireTime": moment, "leaseTransitions": lease.transitions + 1}
        try:
            return await self._update(lease, spec, self._renew_deadline)
        except (Conflict, NotFound):
            return None

    async def _create(self) -> Lease | None:
        now = self._clock.now()
        lease = Lease(
            Meta(self._name, self._namespace), self.identity, round(self._lease_duration), now, now, transitions=0
        )
        try:
            return await self._client.create(LEASES, lease, deadline=self._renew_deadline)
        except AlreadyExists:
            return None

    async def _update(self, lease: Lease, spec: dict[str, Any], deadline: float) -> Lease:
        return await self._client.patch(
            LEASES,
            self._name,
            {"spec": spec},
            self._namespace,
            resource_version=lease.metadata.resource_version,
            deadline=deadline,
        )

    async def _renew_forever(self) -> None:
        try:
            while True:
                left = self._renewed_at + self._renew_deadline - self._clock.monotonic()
                await self._sleep(max(0.0, min(self._retry, left)))
                started = self._clock.monotonic()
                left = self._renewed_at + self._renew_deadline - started
                if left <= 0:
                    log.error("lease not renewed for %g s: no longer the leader", self._renew_deadline)
                    return
                try:
                    if not await self._renew(left):
                        return
                    self._renewed_at = started
                    self._trouble = ""
                except ApiError as error:
                    self._report(error)
        finally:
            # Whatever ended the renewing, the work must not go on; release() sets it right afterwards.
            if self._held is not None:
                self.lost.set()

    async def _renew(self, deadline: float) -> bool:
        """Renew by the version that we wrote last; False when leadership is over."""
        assert self._held is not None  # noqa: S101 - renewing starts after acquiring
        spec = {"renewTime": micro_time(self._clock.now())}
        # Half of what is left: an API that is merely slow gets its time, and a dead connection leaves time for another.
        renewed = await self._update_ours(self._held, spec, min(deadline, max(self._retry, deadline / 2)))
        if renewed is None:
            return False
        self._held = renewed
        return True

    async def _update_ours(self, held: Lease, spec: dict[str, Any], deadline: float) -> Lease | None:
        """Update the Lease if we still hold it; None if not."""
        try:
            return await self._update(held, spec, deadline)
        except NotFound:
            log.error("lease %s/%s was deleted: no longer the leader", self._namespace, self._name)  # noqa: TRY400
            return None
        except Conflict:
            # Perhaps only our own earlier update, whose answer was lost.
            lease = await self._client.get(LEASES, self._name, self._namespace, deadline=deadline)
            if lease.holder == self.identity:
                return await self._update(lease, spec, deadline)
            log.error("lease taken by %s: no longer the leader", lease.holder)  # noqa: TRY400
            return None

    def _report(self, error: ApiError) -> None:
        text = str(error)
        log.log(logging.DEBUG if text == self._trouble else logging.WARNING, "leader election: %s", text)
        self._trouble = text
