"""The claim of one machine to a Lease that another may hold: it waits, and says so, while the other is alive."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime

from anka_kube.client import KubeClient
from anka_kube.errors import ApiError, NotFound
from anka_kube.lease import CHALLENGER, LEASES, Lease
from anka_runtime.clock import Clock, Sleep, SystemClock

log = logging.getLogger(__name__)

CHALLENGE_SECONDS = 60.0


@dataclass(eq=False)
class LeaseClaim:
    """`holder`: this machine. A Lease that is not renewed for its duration is free, measured on our own clock; one
    whose holder was seen alive, only after `given_up_seconds`: a short silence of a machine that works is no reason to
    take its place. `describe`: this machine, for the people who have to decide."""

    client: KubeClient
    namespace: str
    name: str
    holder: str
    _: KW_ONLY
    duration_seconds: float
    look_seconds: float
    given_up_seconds: float
    describe: Callable[[], str]
    clock: Clock = field(default_factory=SystemClock)
    sleep: Sleep = asyncio.sleep
    problem: str | None = field(default=None, init=False)
    """Why this machine must wait; None if nothing is known against it."""

    def __post_init__(self) -> None:
        self._renewed: datetime | None = None
        self._renewed_at: float | None = None
        self._is_rival_alive = False
        self._challenged_at: float | None = None

    async def acquire(self) -> Lease | None:
        """The Lease as it is when nothing more is against our holding it; None if there is none yet."""
        while True:
            try:
                lease = await self.client.get(LEASES, self.name, self.namespace)
                if self._is_free(lease):
                    return lease
                if self._is_rival_alive:
                    await self._challenge(lease.holder or "")
            except NotFound:
                return None
            except ApiError as error:
                self._tell(f"the Lease of this node cannot be read: {error}")
            await self.sleep(self.look_seconds)

    def _is_free(self, lease: Lease) -> bool:
        if lease.holder in (None, self.holder):
            return True
        now = self.clock.monotonic()
        if self._renewed_at is None or lease.renew_time != self._renewed:
            self._is_rival_alive = self._renewed_at is not None
            self._renewed, self._renewed_at = lease.renew_time, now
        duration = lease.duration_seconds or self.duration_seconds
        patience = max(duration, self.given_up_seconds) if self._is_rival_alive else duration
        if now - self._renewed_at >= patience:
            log.warning("%s no longer renews the Lease of this node: this machine takes its place", lease.holder)
            return True
        if not self._is_rival_alive:
            self._tell(f"the Lease of this node is another machine's ({lease.holder}): waiting until it has run out")
        return False

    async def _challenge(self, rival: str) -> None:
        self._tell(
            f"another machine is this node ({rival}), and is at work: this one touches nothing. `anka-agent disjoin` "
            "forgets the identity that it has a copy of; `anka-agent replace` puts it in the other's place"
        )
        now = self.clock.monotonic()
        if self._challenged_at is not None and now - self._challenged_at < CHALLENGE_SECONDS:
            return
        patch = {"metadata": {"annotations": {CHALLENGER: self.describe()}}}
        await self.client.patch(LEASES, self.name, patch, self.namespace)
        self._challenged_at = now

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            log.error("%s", problem)
        self.problem = problem
