from __future__ import annotations

import pytest

from anka_dev.pods.network import Network


def test_each_gets_its_own_and_the_longest_unused_comes_next() -> None:
    network = Network(7)
    first, second = network.take(), network.take()
    assert (first, second) == ("127.1.8.1", "127.1.8.2")
    network.give_back(first)
    assert network.take() == "127.1.8.3"
    for _ in range(251):
        network.take()
    assert network.take() == first
    with pytest.raises(RuntimeError, match="more than 254"):
        network.take()
    network.give_back(second)
    assert network.take() == second


@pytest.mark.parametrize("number", [0, 1, 249, 250, 62_499, 62_500, 4_194_304])
def test_addresses_are_loopback_here_and_none_there(number: int) -> None:
    local = Network(number).take()
    first, second, third, _ = map(int, local.split("."))
    assert first == 127
    assert 1 <= second <= 250
    assert 1 <= third <= 250
    assert Network.outside(local) == "10" + local[3:]
    assert Network.local(Network.outside(local)) == local


def test_neighbours_do_not_meet() -> None:
    networks = {Network(number).take() for number in range(2000)}
    assert len(networks) == 2000
