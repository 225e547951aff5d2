from __future__ import annotations

import pytest

from localkube.pods.addresses import AddressPool


def test_each_gets_its_own_and_the_longest_unused_comes_next() -> None:
    pool = AddressPool(7)
    first, second = pool.take(), pool.take()
    assert (first, second) == ("127.1.8.1", "127.1.8.2")
    pool.release(first)
    assert pool.take() == "127.1.8.3"
    for _ in range(251):
        pool.take()
    assert pool.take() == first
    with pytest.raises(RuntimeError, match="more than 254"):
        pool.take()
    pool.release(second)
    assert pool.take() == second


@pytest.mark.parametrize("number", [0, 1, 249, 250, 62_499, 62_500, 4_194_304])
def test_addresses_are_loopback_here_and_none_there(number: int) -> None:
    local = AddressPool(number).take()
    first, second, third, _ = map(int, local.split("."))
    assert first == 127
    assert 1 <= second <= 250
    assert 1 <= third <= 250
    assert AddressPool.to_cluster(local) == "10" + local[3:]
    assert AddressPool.to_local(AddressPool.to_cluster(local)) == local


def test_neighbours_do_not_meet() -> None:
    networks = {AddressPool(number).take() for number in range(2000)}
    assert len(networks) == 2000
