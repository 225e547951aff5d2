"""Machines that claim the identity of a node, as they say in its Lease; judged by our own clock alone."""

from dataclasses import dataclass

from anka_crds.rules.challenger import Challenger, parse_challenger
from anka_kube.lease import CHALLENGER, Lease

FORGET_SECONDS = 180.0
"""A machine that still claims the identity says so every minute."""


@dataclass(slots=True)
class _Observation:
    text: str
    at: float
    """Time of the change, on our monotonic clock."""
    repeated: bool
    """Whether it was seen to change: what was there before this process may be old."""


class ChallengeTracker:
    """What was observed in each node's Lease. Pure: times are arguments."""

    def __init__(self) -> None:
        self._observed: dict[str, _Observation] = {}

    def observe(self, lease: Lease, now: float, *, first: bool = False) -> bool:
        """Whether there is something new. `first`: the Lease as this process found it."""
        name, text = lease.metadata.name, lease.metadata.annotations.get(CHALLENGER)
        before = self._observed.get(name)
        if text is None:
            return self._observed.pop(name, None) is not None
        if before is not None and before.text == text:
            return False
        self._observed[name] = _Observation(text, now, repeated=not first)
        return not first

    def forget(self, name: str) -> None:
        self._observed.pop(name, None)

    def find(self, name: str, now: float) -> Challenger | None:
        observation = self._observed.get(name)
        if observation is None or not observation.repeated or now - observation.at >= FORGET_SECONDS:
            return None
        return parse_challenger(observation.text)

    def is_known(self, name: str, now: float) -> bool:
        """False while what this process found may be old, or not."""
        observation = self._observed.get(name)
        return observation is None or observation.repeated or now - observation.at >= FORGET_SECONDS
