"""Which connections are admitted, and which the reserve takes."""

from __future__ import annotations

import pytest

from anka_shim.http.connection_budget import RESERVE, ConnectionBudget


class OpenConnection:
    def __init__(self) -> None:
        self.is_answering = False
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True


def admit(budget: ConnectionBudget, client: str, count: int) -> list[tuple[OpenConnection, bool]]:
    made = [OpenConnection() for _ in range(count)]
    return [(connection, budget.admit(connection, client)) for connection in made]


def test_limits() -> None:
    budget = ConnectionBudget(most=5, most_per_client=3)
    assert [admitted for _, admitted in admit(budget, "a", 4)] == [True, True, True, False]
    assert [admitted for _, admitted in admit(budget, "b", 3)] == [True, True, False]


def test_a_closed_one_makes_room_once() -> None:
    budget = ConnectionBudget(most=1, most_per_client=1)
    ((first, _), (second, admitted)) = admit(budget, "a", 2)
    assert not admitted
    budget.release(second, "a", admitted=False)
    assert not admit(budget, "a", 1)[0][1]
    budget.release(first, "a", admitted=True)
    assert admit(budget, "a", 1)[0][1]
    assert not admit(budget, "a", 1)[0][1]


def test_the_reserve_is_for_the_newest() -> None:
    budget = ConnectionBudget(most=1, most_per_client=1)
    (_, *reserve) = [connection for connection, _ in admit(budget, "a", 1 + RESERVE)]
    assert not any(connection.is_aborted for connection in reserve)
    reserve[0].is_answering = True
    newest = [connection for connection, _ in admit(budget, "a", 2)]
    assert [connection.is_aborted for connection in reserve[:4]] == [False, True, True, False]
    for connection in (*reserve, *newest):
        connection.is_answering = True
    admit(budget, "a", 1)
    assert reserve[0].is_aborted


def test_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    budget = ConnectionBudget(most=1, most_per_client=1)
    admit(budget, "192.0.2.1", 2)
    (record,) = caplog.records
    assert record.getMessage() == "too many connections: see --max-connections"
    assert vars(record).items() >= {"client": "192.0.2.1", "limit": "all", "open": 1}.items()
