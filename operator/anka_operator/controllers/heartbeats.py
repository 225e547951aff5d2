"""Which nodes live, judged by when we saw their Leases change: their clocks may be wrong, ours only has to tick."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from anka_crds.kube.lease import Lease

DEFAULT_DURATION_SECONDS = 40.0


@dataclass(slots=True)
class _Seen:
    renew_time: datetime | None
    at: float
    """When we saw it, on our monotonic clock."""
    duration: float
    changed: bool
    """Whether we saw it being renewed, and not only lying there."""


class Heartbeats:
    """What was seen of each node's Lease. Pure: times are handed in."""

    def __init__(self, duration_seconds: float = DEFAULT_DURATION_SECONDS) -> None:
        self._duration = duration_seconds
        self._seen: dict[str, _Seen] = {}

    def see(self, lease: Lease, now: float) -> None:
        name = lease.metadata.name
        duration = float(lease.duration_seconds or self._duration)
        before = self._seen.get(name)
        if before is None:
            self._seen[name] = _Seen(lease.renew_time, now, duration, changed=False)
        elif before.renew_time != lease.renew_time:
            self._seen[name] = _Seen(lease.renew_time, now, duration, changed=True)
        else:
            before.duration = duration

    def expect(self, name: str, now: float) -> None:
        """A node that should have a Lease: it gets the usual time to show one."""
        self._seen.setdefault(name, _Seen(None, now, self._duration, changed=False))

    def forget(self, name: str) -> None:
        self._seen.pop(name, None)

    def alive(self, name: str, now: float, *, was_offline: bool) -> bool | None:
        """Whether the node lives; None when it has not had the time to show it.

        One that was Offline before we came must be seen to renew: its old Lease may lie there for ever.
        """
        seen = self._seen.get(name)
        if seen is None:
            return None
        if now - seen.at >= seen.duration:
            return False
        if seen.renew_time is None or (was_offline and not seen.changed):
            return None
        return True

    def runs_out(self, name: str, now: float) -> float:
        """Seconds until silence makes the node Offline; infinite when it has."""
        seen = self._seen.get(name)
        if seen is None or now - seen.at >= seen.duration:
            return math.inf
        return seen.at + seen.duration - now
