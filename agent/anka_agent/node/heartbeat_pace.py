"""How often a Mac sends its heartbeat: where there are many Macs, all together cost the apiserver the most at rest."""

FEW, MANY = 250, 1000
"""Macs: up to FEW the pace is the usual one, from MANY on the slowest."""
STRETCH = 1.2
TURNS = 0.3
"""Share of the Lease that a slower pace may reach: three turns fit into the Lease, with a tenth of it to spare."""


def heartbeat_seconds(usual: float, lease_seconds: float, macs: int) -> float:
    """Longest time between two heartbeats. What somebody has set slower than three turns stays as it is."""
    share = min(1.0, max(0.0, (macs - FEW) / (MANY - FEW)))
    slower = usual * (1 + (STRETCH - 1) * share)
    return min(slower, max(usual, lease_seconds * TURNS))
