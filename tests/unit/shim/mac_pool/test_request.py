"""What may be asked about MAC addresses."""

from __future__ import annotations

from typing import Any

import pytest

from anka_shim.failure import Failure
from anka_shim.mac_pool.answer import AddressQuery
from anka_shim.mac_pool.request import ListAddresses, read_query


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"count": "1"}, AddressQuery(True, False, None, -1)),
        ({"in_use": "1"}, AddressQuery(False, True, None, -1)),
        ({"count": 1, "in_use": 1}, AddressQuery(True, True, None, -1)),
        ({"limit": "500", "in_use": "1"}, AddressQuery(False, True, 500, -1)),
        ({"limit": "10000", "last": "02:00:00:00:00:0a"}, AddressQuery(False, False, 10_000, 0x0200_0000_000A)),
        ({"limit": "2", "count": "0", "in_use": ""}, AddressQuery(False, False, 2, -1)),
    ],
)
def test_questions(given: dict[str, Any], query: AddressQuery) -> None:
    assert read_query(ListAddresses.model_validate(given)) == query


@pytest.mark.parametrize("given", [{}, {"count": "0"}, {"in_use": "0", "count": ""}, {"last": "02:00:00:00:00:0A"}])
def test_something_must_be_asked(given: dict[str, Any]) -> None:
    with pytest.raises(Failure, match=r"^count, in_use or limit: one of them is required$"):
        read_query(ListAddresses.model_validate(given))
