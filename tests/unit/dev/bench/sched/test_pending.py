"""The scheduler in memory."""

from __future__ import annotations

import pytest

from anka_dev.bench.sched.pending import PendingInstances


@pytest.mark.parametrize(("nodes", "pending", "limit"), [(7, 40, None), (40, 33, None), (7, 40, 5)])
def test_all_that_are_pending_get_a_node(nodes: int, pending: int, limit: int | None) -> None:
    world = PendingInstances(nodes, pending)
    rounds = []
    while bound := world.decide(limit):
        rounds.append(bound)
    # Groups do not share their room evenly, so a few may stay; nobody is bound twice.
    assert pending * 0.8 <= sum(rounds) <= pending
    assert limit is None or max(rounds) <= limit
