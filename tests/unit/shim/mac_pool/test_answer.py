"""Numbers and pages of MAC addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.rules.mac_addresses import AddressSet, format_address, parse_address
from anka_shim.mac_pool.answer import AddressQuery, address_answer
from support.objects import mac_pool

BASE = 0x0200_0000_0000
POOLED = AddressSet([mac_pool("p", ("00:01", "00:05"))])
USED = {BASE + 2, BASE + 4, BASE + 9}


def texts(*lasts: int) -> list[str]:
    return [f"02:00:00:00:00:{last:02X}" for last in lasts]


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (AddressQuery(True, False, None, -1), 3),
        (AddressQuery(True, True, None, -1), 3),
        (AddressQuery(False, True, None, -1), texts(2, 4, 9)),
        (AddressQuery(False, True, 2, -1), texts(2, 4)),
        (AddressQuery(False, True, 2, BASE + 4), texts(9)),
        (AddressQuery(False, False, 2, -1), texts(1, 3)),
        (AddressQuery(False, False, 2, BASE + 3), texts(5)),
        (AddressQuery(False, False, 2, BASE + 5), []),
    ],
)
def test_answers(query: AddressQuery, answer: int | list[str]) -> None:
    assert address_answer(query, POOLED, USED) == answer


@given(st.sets(st.integers(0, 40)), st.integers(1, 12), st.booleans())
def test_pages_have_each_address_once(used: set[int], limit: int, in_use: bool) -> None:
    pools, taken = AddressSet([mac_pool("p", ("00:00", "00:28"))]), {BASE + one for one in used}
    seen: list[str] = []
    while True:
        last = parse_address(seen[-1]) if seen else None
        page = address_answer(AddressQuery(False, in_use, limit, -1 if last is None else last), pools, taken)
        assert isinstance(page, list)
        seen += page
        if len(page) < limit:
            break
    wanted = taken if in_use else {BASE + one for one in range(41)} - taken
    assert seen == sorted(map(format_address, wanted))
