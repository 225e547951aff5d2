"""Leader election by a Lease: at most one process leads at a time.

Every update is guarded by resourceVersion. Another holder is alive while its Lease changes, measured on our own
monotonic clock: wrong wall clocks cannot produce two leaders.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Self

from anka_kube.client import KubeClient
from anka_kube.errors import AlreadyExists, ApiError, Conflict, NotFound
from anka_kube.lease import LEASES, Lease, micro_time
from anka_kube.unstructured import Meta
from anka_runtime.backoff import Random, system_random
from anka_runtime.clock import Clock, Sleep, SystemClock

log = logging.getLogger(__name__)


@dataclass(eq=False)
class LeaderElector:
    """One candidate. `lost` is set when it loses leadership involuntarily: stop working, `release`, and `acquire` again
    or exit. `identity` must be its own: whoever has the same takes the Lease for its own.

    `lease_duration`, `renew_deadline` and `retry` are seconds, and must decrease in this order: a leader gives up
    before another one can take over.
    """

    client: KubeClient
    namespace: str
    name: str
    identity: str
    _: KW_ONLY
    lease_duration: float
    renew_deadline: float
    retry: float
    clock: Clock = field(default_factory=SystemClock)
    chance: Random = system_random
    sleep: Sleep = asyncio.sleep

    def __post_init__(self) -> None:
        if not 0 < self.retry < self.renew_deadline < self.lease_duration:
            raise ValueError(
                f"leader election needs retry < renew deadline < lease duration, "
                f"got {self.retry:g} s, {self.renew_deadline:g} s, {self.lease_duration:g} s"
            )
        if self.lease_duration < 1:
            raise ValueError("a Lease counts whole seconds: its duration must be at least 1 s")
        self.lost = asyncio.Event()
        self._observed: Lease | None = None
        self._observed_at = 0.0
        self._held: Lease | None = None
        self._renewed_at = 0.0
        self._took = 0.0
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""
        self._annotations: dict[str, str] = {}

    @property
    def annotations(self) -> Mapping[str, str]:
        """Of the Lease, as it was last written or read while this process leads; empty while it does not."""
        return {} if self._held is None else self._held.metadata.annotations

    def annotate(self, key: str, value: str) -> None:
        """Of the Lease: goes with the next renewal, or with the release, so it costs no write. Forgotten when this
        process does not lead any more."""
        self._annotations[key] = value

    @property
    def is_leading(self) -> bool:
        """Whether this process can act as the leader now."""
        return (
            self._held is not None
            and not self.lost.is_set()
            and self.clock.monotonic() - self._renewed_at < self.renew_deadline
        )

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.release()

    async def acquire(self) -> None:
        """Wait until this process leads, then renew the Lease in the background."""
        self.lost.clear()
        self._annotations = {}
        while True:
            try:
                held = await self._try_acquire()
                self._trouble = ""
            except ApiError as error:
                held = None
                self._report(error)
            # An answer that took longer than the deadline is worth nothing: whoever led by it would give up at once.
            took = self.clock.monotonic() - self._renewed_at
            if held is not None and took < self.renew_deadline:
                self._held, self._took = held, took
                break
            await self.sleep(self._pause())
        log.info("%s leads by lease %s/%s", self.identity, self.namespace, self.name)
        self._task = asyncio.create_task(self._renew_forever(), name=f"leader election {self.name}")

    def _pause(self) -> float:
        """Seconds until the next attempt to lead: at the latest when the Lease of another one runs out, as far as is
        known."""
        pause = self.retry * (1 + 0.2 * self.chance())
        known = self._observed
        if known is None or known.holder in (None, self.identity):
            return pause
        left = self._observed_at + (known.duration_seconds or self.lease_duration) - self.clock.monotonic()
        # One that has run out, and was not taken: somebody else did, or the API refuses.
        return min(pause, left) if left > 0 else pause

    async def release(self) -> None:
        """Stop renewing and, if this process leads, release the Lease: the next candidate takes over at once."""
        held, self._held = self._held, None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if held is None or self.lost.is_set():
            return
        try:
            await self._update_ours(held, {"holderIdentity": None}, self.retry)
        except ApiError as error:
            log.warning("lease not released, it runs out by itself: %s", error)

    async def _try_acquire(self) -> Lease | None:
        """One attempt, which sets `_renewed_at`. None while another process leads. Raises ApiError."""
        try:
            lease = await self.client.get(LEASES, self.name, self.namespace, deadline=self.renew_deadline)
        except NotFound:
            return await self._create()
        now = self.clock.monotonic()
        if self._observed is None or (
            lease.metadata.uid != self._observed.metadata.uid
            or lease.metadata.resource_version != self._observed.metadata.resource_version
        ):
            self._observed, self._observed_at = lease, now
        if lease.holder is not None and lease.holder != self.identity:
            if now - self._observed_at < (lease.duration_seconds or self.lease_duration):
                return None
            log.info("lease of %s ran out", lease.holder)
        moment = micro_time(self.clock.now())
        spec = {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": round(self.lease_duration),
            "renewTime": moment,
        }
        if lease.holder != self.identity:
            spec |= {"acquireTime": moment, "leaseTransitions": lease.transitions + 1}
        # From here, not from before the reading: others see the Lease change after this moment, never before.
        self._renewed_at = self.clock.monotonic()
        try:
            return await self._update(lease, spec, self.renew_deadline)
        except (Conflict, NotFound):
            return None

    async def _create(self) -> Lease | None:
        now = self.clock.now()
        self._renewed_at = self.clock.monotonic()
        lease = Lease(
            Meta(self.name, self.namespace), self.identity, round(self.lease_duration), now, now, transitions=0
        )
        try:
            return await self.client.create(LEASES, lease, deadline=self.renew_deadline)
        except AlreadyExists:
            return None

    async def _update(self, lease: Lease, spec: dict[str, Any], deadline: float) -> Lease:
        version = lease.metadata.resource_version
        known = lease.metadata.annotations
        changed = {key: value for key, value in self._annotations.items() if known.get(key) != value}
        patch = {"spec": spec, **({"metadata": {"annotations": changed}} if changed else {})}
        return await self.client.patch(
            LEASES, self.name, patch, self.namespace, resource_version=version, deadline=deadline
        )

    async def _renew_forever(self) -> None:
        started = self._renewed_at
        try:
            while True:
                now = self.clock.monotonic()
                left = self._renewed_at + self.renew_deadline - now
                # One attempt in each `retry` seconds: where the API is slow, waiting after its answer would lose time.
                await self.sleep(max(0.0, min(started + self.retry - now, left)))
                started = self.clock.monotonic()
                left = self._renewed_at + self.renew_deadline - started
                if left <= 0:
                    log.error("lease not renewed for %g s: no longer the leader", self.renew_deadline)
                    return
                try:
                    if not await self._renew(left):
                        return
                    self._renewed_at, self._took = started, self.clock.monotonic() - started
                    self._trouble = ""
                except ApiError as error:
                    self._report(error)
        finally:
            # Whatever ended the renewal, the work must stop. release() clears `_held` first.
            if self._held is not None:
                self.lost.set()

    async def _renew(self, deadline: float) -> bool:
        """Renew from the version that we wrote last. False when leadership is over."""
        assert self._held is not None  # noqa: S101 - renewing starts after acquiring
        spec = {"renewTime": micro_time(self.clock.now())}
        # Half of the time left, so that after a dead connection there is time for another attempt; more where the API
        # has just been that slow.
        patience = max(self.retry, deadline / 2, 2 * self._took)
        renewed = await self._update_ours(self._held, spec, min(deadline, patience))
        if renewed is None:
            return False
        self._held = renewed
        return True

    async def _update_ours(self, held: Lease, spec: dict[str, Any], deadline: float) -> Lease | None:
        """Update the Lease if we still hold it, else None."""
        try:
            return await self._update(held, spec, deadline)
        except NotFound:
            log.error("lease %s/%s was deleted: no longer the leader", self.namespace, self.name)  # noqa: TRY400
            return None
        except Conflict:
            # Possibly our own earlier update, whose answer was lost.
            lease = await self.client.get(LEASES, self.name, self.namespace, deadline=deadline)
            if lease.holder == self.identity:
                return await self._update(lease, spec, deadline)
            log.error("lease taken by %s: no longer the leader", lease.holder)  # noqa: TRY400
            return None

    def _report(self, error: ApiError) -> None:
        text = str(error)
        log.log(logging.DEBUG if text == self._trouble else logging.WARNING, "leader election: %s", text)
        self._trouble = text
