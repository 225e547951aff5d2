from __future__ import annotations

from anka_shim.portal.stream.budget import TabBudget


def test_of_all_and_of_each() -> None:
    budget = TabBudget(3, 2)
    assert [budget.enter("ann"), budget.enter("ann"), budget.enter("ann")] == [True, True, False]
    # The third counts until it has left.
    assert not budget.enter("bob")
    budget.leave("ann")
    budget.leave("bob")
    assert budget.enter("bob")
    for client in ("ann", "ann", "bob"):
        budget.leave(client)
    assert budget.open == 0
    assert not budget._by_client
