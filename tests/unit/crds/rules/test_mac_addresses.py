"""MAC addresses: texts and numbers, ranges without lists, and which of them an instance has."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import MACAddressPool
from anka_crds.rules.mac_addresses import (
    AddressSet,
    format_address,
    is_local,
    list_claimed_addresses,
    list_used_addresses,
    parse_address,
)
from support.objects import instance, mac_pool

ALL = 0x0200_0000_0001, 0x0200_0000_0002, 0x0200_0000_0003


@given(st.integers(0, 2**48 - 1))
def test_what_is_written_is_read(address: int) -> None:
    text = format_address(address)
    assert len(text) == 17
    assert text == text.upper()
    assert parse_address(text) == parse_address(text.lower()) == address


@pytest.mark.parametrize(
    "text", [None, "", "auto", "020000000001", "02-00-00-00-00-01", "02:00:00:00:00:01 ", "0g" * 6]
)
def test_no_address(text: str | None) -> None:
    assert parse_address(text) is None


def test_locally_administered() -> None:
    assert [is_local(parse_address(text) or 0) for text in ("02:00:00:00:00:00", "56:45:45:00:00:00")] == [True, True]
    assert not is_local(parse_address("00:1B:44:11:3A:B7") or 0)


def pool(*ranges: tuple[str, str], rest: int = 3600) -> MACAddressPool:
    spec = {"ranges": [{"first": first, "last": last} for first, last in ranges], "reuseAfterSeconds": rest}
    return MACAddressPool.from_api({"metadata": {"name": "p"}, "spec": spec})


def test_both_ends_belong_to_a_range() -> None:
    pools = AddressSet([mac_pool()])
    assert (len(pools), tuple(pools.above(-1))) == (3, ALL)


def test_addresses_of_groups_and_zero_are_left_out() -> None:
    pools = AddressSet([pool(("00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF"))])
    assert len(pools) == 2**47 - 1
    assert 0 not in pools
    assert 1 in pools
    assert 0x0100_0000_0000 not in pools
    assert 0xFEFF_FFFF_FFFF in pools
    assert list(islice(pools.above(0x00FF_FFFF_FFFE), 2)) == [0x00FF_FFFF_FFFF, 0x0200_0000_0000]
    start = len(pools) - 1
    assert list(islice(pools.circle(start), 2)) == [0xFEFF_FFFF_FFFF, 1]


def test_what_two_pools_have_rests_as_the_stricter_says() -> None:
    pools = AddressSet([mac_pool("a", ("00:01", "00:05"), rest=10), mac_pool("b", ("00:03", "00:09"), rest=60)])
    assert len(pools) == 9
    assert [pools.rest_of(0x0200_0000_0000 + last) for last in (0, 1, 2, 3, 9, 10)] == [None, 10, 10, 60, 60, None]


def test_a_range_that_no_crd_would_take_has_no_address() -> None:
    assert len(AddressSet([pool(("02:00:00:00:00:09", "02:00:00:00:00:01"), ("x", "y"))])) == 0


ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 3)), max_size=6)


@given(ranges, st.integers(-2, 70), st.integers(0, 200))
def test_a_set_has_the_addresses_of_its_pools(drawn: list[tuple[int, int, int]], after: int, start: int) -> None:
    """Compared with a plain set, over the border between a block of groups (01:…) and one of cards."""
    base = 0x01FF_FFFF_FFE0
    rests: dict[int, int] = {}
    for first, last, rest in drawn:
        for address in range(base + first, base + last + 1):
            if address >= 0x0200_0000_0000:
                rests[address] = max(rest, rests.get(address, 0))
    pools = AddressSet(
        pool((format_address(base + first), format_address(base + last)), rest=rest) for first, last, rest in drawn
    )
    assert len(pools) == len(rests)
    assert {address: pools.rest_of(address) for address in range(base - 2, base + 70) if address in pools} == rests
    assert list(pools.above(base + after)) == sorted(address for address in rests if address > base + after)
    circle = list(pools.circle(start))
    assert sorted(circle) == sorted(rests)
    if rests:
        assert circle[0] == sorted(rests)[start % len(rests)]
        turn = circle.index(min(circle))
        assert circle[turn:] + circle[:turn] == sorted(rests)


WANTED: dict[str, Any] = {"network": {"macAddress": "02:00:00:00:00:01"}}
BOUND = {"nodeName": "mac-1", "phase": "Started"}
VM = {"uuid": "u", "name": "n", "status": "running"}


@pytest.mark.parametrize(
    ("spec", "status", "used", "claimed"),
    [
        ({}, {}, (), ()),
        (WANTED, {}, (), (1,)),
        (WANTED, {"phase": "Error"}, (), ()),
        (WANTED, BOUND, (1,), (1,)),
        ({}, BOUND, (), ()),
        ({}, {**BOUND, "macAddress": "02:00:00:00:00:02"}, (2,), (2,)),
        ({}, {**BOUND, "vm": {**VM, "macAddress": "02:00:00:00:00:03"}}, (3,), (3,)),
        (WANTED, {**BOUND, "macAddress": "02:00:00:00:00:02"}, (2,), (2,)),
        ({}, {**BOUND, "macAddress": "auto"}, (), ()),
        ({}, {**BOUND, "phase": "Stopped", "macAddress": "02:00:00:00:00:02"}, (2,), (2,)),
        ({}, {**BOUND, "phase": "Error", "macAddress": "02:00:00:00:00:02", "vm": {**VM, "status": "deleted"}}, (), ()),
        ({}, {**BOUND, "phase": "Terminated", "macAddress": "02:00:00:00:00:02"}, (), ()),
    ],
)
def test_addresses_of_an_instance(
    spec: dict[str, Any], status: dict[str, Any], used: tuple[int, ...], claimed: tuple[int, ...]
) -> None:
    one = instance(status=status, **spec)
    assert list_used_addresses(one) == {0x0200_0000_0000 + last for last in used}
    assert list_claimed_addresses(one) == {0x0200_0000_0000 + last for last in claimed}


def test_one_that_is_deleted_before_it_had_a_node_asks_for_nothing() -> None:
    one = instance(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}, **WANTED)
    assert list_claimed_addresses(one) == frozenset()
