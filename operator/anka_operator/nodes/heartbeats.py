"""Which nodes are alive, judged by when their Leases change: only our own clock counts, as theirs may be wrong."""

import math
from dataclasses import dataclass
from datetime import datetime

from anka_crds.api.defaults import LEASE_DURATION_SECONDS
from anka_kube.lease import Lease


@dataclass(slots=True)
class _Observation:
    renew_time: datetime | None
    at: float
    """Time of the change, on our monotonic clock."""
    duration: float
    renewed: bool
    """Whether a renewal was seen, not just an existing Lease."""


class Heartbeats:
    """What was observed of each node's Lease. Pure: times are arguments."""

    def __init__(self, duration_seconds: float = LEASE_DURATION_SECONDS) -> None:
        self._duration = duration_seconds
        self._observed: dict[str, _Observation] = {}

    def observe(self, lease: Lease, now: float) -> None:
        name = lease.metadata.name
        duration = float(lease.duration_seconds or self._duration)
        before = self._observed.get(name)
        if before is None:
            self._observed[name] = _Observation(lease.renew_time, now, duration, renewed=False)
        elif before.renew_time != lease.renew_time:
            self._observed[name] = _Observation(lease.renew_time, now, duration, renewed=True)
        else:
            before.duration = duration

    def expect(self, name: str, now: float) -> None:
        """Expect a Lease of this node: it has the usual duration to renew one."""
        self._observed.setdefault(name, _Observation(None, now, self._duration, renewed=False))

    def forget(self, name: str) -> None:
        self._observed.pop(name, None)

    def is_alive(self, name: str, now: float, *, was_offline: bool) -> bool | None:
        """None while the node has not yet had time to show it.

        A node that was Offline before this process started must be seen to renew: its old Lease may exist for ever.
        """
        observation = self._observed.get(name)
        if observation is None:
            return None
        if now - observation.at >= observation.duration:
            return False
        if observation.renew_time is None or (was_offline and not observation.renewed):
            return None
        return True

    def expires_in(self, name: str, now: float) -> float:
        """Seconds until silence makes the node Offline; infinite when it already has."""
        observation = self._observed.get(name)
        if observation is None or now - observation.at >= observation.duration:
            return math.inf
        return observation.at + observation.duration - now
