"""Ports of a Mac that two VMs cannot both have."""

from __future__ import annotations

from typing import Any

import pytest

from anka_scheduler.host_port import HostPort, find_taken, list_taken_ports, list_wanted_ports
from support.objects import instance

RULES = [
    {"name": "ssh", "guestPort": 22},
    {"name": "web", "guestPort": 80, "hostPort": 8080},
    {"name": "dns", "guestPort": 53, "hostPort": 53, "protocol": "udp", "hostIp": "10.0.0.1"},
]
VM: dict[str, Any] = {
    "uuid": "u", "name": "n", "status": "running", "portForwarding": [{"guestPort": 22, "hostPort": 10005}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (HostPort("tcp", 80), HostPort("tcp", 80), True),
        (HostPort("tcp", 80), HostPort("tcp", 81), False),
        (HostPort("tcp", 80), HostPort("udp", 80), False),
        (HostPort("tcp", 80, "10.0.0.1"), HostPort("tcp", 80), True),
        (HostPort("tcp", 80, "10.0.0.1"), HostPort("tcp", 80, "10.0.0.1"), True),
        (HostPort("tcp", 80, "10.0.0.1"), HostPort("tcp", 80, "10.0.0.2"), False),
    ],
)
def test_which_exclude_each_other(one: HostPort, other: HostPort, wanted: bool) -> None:
    assert one.excludes(other) is other.excludes(one) is wanted
    assert (find_taken([one], [other]) == one.port) is wanted


def test_what_a_spec_names_and_what_anka_has_chosen() -> None:
    named = {HostPort("tcp", 8080), HostPort("udp", 53, "10.0.0.1")}
    one = instance(portForwarding=RULES, status={"phase": "Started", "nodeName": "mac-1", "vm": VM})
    assert list_wanted_ports(one) == named
    assert list_taken_ports(one) == named | {HostPort("tcp", 10005)}
    assert list_wanted_ports(instance()) == list_taken_ports(instance()) == frozenset()
