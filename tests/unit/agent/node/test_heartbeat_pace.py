from __future__ import annotations

import pytest

from anka_agent.node.heartbeat_pace import heartbeat_seconds
from anka_crds.api.defaults import HEARTBEAT_SECONDS, LEASE_DURATION_SECONDS


@pytest.mark.parametrize(
    ("usual", "lease", "macs", "expected"),
    [
        (10, 40, 1, 10),
        (10, 40, 250, 10),
        (10, 40, 625, 11),
        (10, 40, 1000, 12),
        (10, 40, 10_000, 12),
        # Of what a Mac's owner has set, the Lease limits what is added, and nothing is taken away.
        (5, 40, 1000, 6),
        (2, 5, 1000, 2),
        (10, 35, 1000, 10.5),
        (25, 40, 1000, 25),
    ],
)
def test_the_pace_for_so_many_macs(usual: float, lease: float, macs: int, expected: float) -> None:
    assert heartbeat_seconds(usual, lease, macs) == pytest.approx(expected)


@pytest.mark.parametrize("macs", [1, 250, 251, 999, 1000, 100_000])
def test_three_turns_fit_into_a_lease(macs: int) -> None:
    """Turn is up to the whole of it: what chance takes off makes the turns more."""
    assert 3 * heartbeat_seconds(HEARTBEAT_SECONDS, LEASE_DURATION_SECONDS, macs) < LEASE_DURATION_SECONDS


def test_more_macs_are_never_quicker() -> None:
    paces = [heartbeat_seconds(HEARTBEAT_SECONDS, LEASE_DURATION_SECONDS, macs) for macs in range(0, 2000, 10)]
    assert paces == sorted(paces)
    assert paces[0] < paces[-1]
