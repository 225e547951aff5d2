"""Who lives, by when we saw Leases change."""

from __future__ import annotations

import math
from datetime import timedelta

from anka_kube.lease import Lease
from anka_kube.unstructured import Meta
from anka_operator.nodes.heartbeats import Heartbeats
from support.objects import START


def lease(renewed: float | None, duration: int | None = 40) -> Lease:
    moment = None if renewed is None else START + timedelta(seconds=renewed)
    return Lease(Meta("mac-1"), "mac-1", duration, renew_time=moment)


def test_silence_ends_a_life() -> None:
    beats = Heartbeats()
    beats.observe(lease(0), 100)
    assert beats.is_alive("mac-1", 139, was_offline=False) is True
    assert beats.expires_in("mac-1", 139) == 1
    assert beats.is_alive("mac-1", 140, was_offline=False) is False
    assert beats.expires_in("mac-1", 140) == math.inf


def test_only_a_new_renew_time_is_a_sign_of_life() -> None:
    beats = Heartbeats()
    beats.observe(lease(0), 100)
    beats.observe(lease(0), 130)
    assert beats.is_alive("mac-1", 145, was_offline=False) is False
    beats.observe(lease(10), 150)
    assert beats.is_alive("mac-1", 189, was_offline=False) is True


def test_wrong_clocks_of_nodes_do_not_matter() -> None:
    beats = Heartbeats()
    beats.observe(lease(-1e8), 0)
    beats.observe(lease(-2e8), 30)
    assert beats.is_alive("mac-1", 69, was_offline=False) is True


def test_an_old_lease_does_not_raise_the_dead() -> None:
    beats = Heartbeats()
    beats.observe(lease(0), 100)
    assert beats.is_alive("mac-1", 101, was_offline=True) is None
    beats.observe(lease(10), 110)
    assert beats.is_alive("mac-1", 111, was_offline=True) is True


def test_a_node_gets_time_to_show_its_first_lease() -> None:
    beats = Heartbeats(20)
    assert beats.is_alive("mac-1", 0, was_offline=False) is None
    beats.expect("mac-1", 100)
    assert beats.is_alive("mac-1", 119, was_offline=False) is None
    assert beats.is_alive("mac-1", 120, was_offline=False) is False
    beats.observe(lease(0), 130)
    beats.expect("mac-1", 131)
    assert beats.is_alive("mac-1", 131, was_offline=False) is True


def test_the_lease_says_how_long_it_holds() -> None:
    beats = Heartbeats(40)
    beats.observe(lease(0, 5), 0)
    assert beats.is_alive("mac-1", 6, was_offline=False) is False
    beats.observe(lease(1, None), 10)
    assert beats.is_alive("mac-1", 49, was_offline=False) is True
    beats.observe(lease(1, 100), 20)
    assert beats.is_alive("mac-1", 100, was_offline=False) is True


def test_forgotten() -> None:
    beats = Heartbeats()
    beats.observe(lease(0), 0)
    beats.forget("mac-1")
    assert beats.is_alive("mac-1", 100, was_offline=False) is None
    assert beats.expires_in("mac-1", 0) == math.inf
