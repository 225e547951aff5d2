"""The memory that bodies of requests may take together."""

from __future__ import annotations

import sys
from typing import Any

import orjson
import pytest

from anka_shim.failure import Failure
from anka_shim.http.body_budget import FREE_BYTES, BodyBudget


@pytest.fixture
def budget() -> BodyBudget:
    return BodyBudget(longest=100_000, limit=250_000)


def test_what_is_taken_is_given_back(budget: BodyBudget) -> None:
    with budget.open() as reservation:
        for size in (10_000, 50_000, 100_000):
            reservation.take_text(size)
        assert budget.taken == 100_000 - FREE_BYTES
    assert budget.taken == 0


def test_it_is_given_back_after_a_failure(budget: BodyBudget) -> None:
    with budget.open() as reservation:
        reservation.take_text(90_000)
        with pytest.raises(Failure, match="larger than 100000 bytes"):
            reservation.take_text(100_001)
    assert budget.taken == 0


def test_beyond_it_large_bodies_are_refused_and_small_ones_pass(budget: BodyBudget) -> None:
    with budget.open() as first, budget.open() as second, budget.open() as third, budget.open() as small:
        for reservation in (first, second):
            reservation.take_text(100_000)
        with pytest.raises(Failure) as caught:
            third.take_text(100_000)
        assert (caught.value.code, caught.value.retry_after) == (503, 1)
        small.take_text(FREE_BYTES)
        small.take_parsed(b"{" + b" " * 1000 + b"}")
        assert budget.taken <= budget.limit


def size_of(value: Any) -> int:
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return sys.getsizeof(value) + sum(map(size_of, inner))


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":[' + b"[]," * 20_000 + b"0]}",
        b'{"a":[' + b"{}," * 20_000 + b"0]}",
        b'{"a":[' + b'{"a":{}},' * 10_000 + b"0]}",
        b'{"a":[' + b"1.5," * 20_000 + b"0]}",
        b"{" + b",".join(b'"%d":%d' % (number, number * 1000) for number in range(10_000)) + b"}",
        b'{"a":"' + b"x" * 60_000 + b'"}',
        b'{"a":"' + b"x" * 60_000 + "\U0001f600".encode() + b'"}',
        b'{"a":"' + b"x" * 60_000 + rb"\ud83d\ude00" + b'"}',
    ],
    ids=["lists", "objects", "nested", "numbers", "keys", "text", "emoji", "escaped"],
)
def test_what_is_counted_is_what_it_takes(text: bytes) -> None:
    budget = BodyBudget(longest=1 << 20, limit=1 << 30)
    with budget.open() as reservation:
        reservation.take_parsed(text)
        assert size_of(orjson.loads(text)) <= 1.2 * (budget.taken + FREE_BYTES)


def test_one_that_never_fits_is_told_so(budget: BodyBudget) -> None:
    with pytest.raises(Failure, match="too many parts") as caught, budget.open() as reservation:
        reservation.take_parsed(b"{" * 5000)
    assert caught.value.code == 200
