"""Ports that nothing takes before their server starts."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from localkube import free_ports
from localkube.errors import DevError
from localkube.free_ports import FIRST, HOST, LAST, bind, free_port


def test_no_outgoing_connection_gets_one_of_them() -> None:
    """The kernel gives those of its range to whoever connects, also between the choice of a port and its use."""
    lowest = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if lowest.exists():
        assert int(lowest.read_text().split()[0]) > LAST
    for _ in range(20):
        assert FIRST <= free_port() <= LAST


def test_the_preferred_one_if_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port
    with socket.socket() as taken:
        taken.bind((HOST, port))
        taken.listen()
        assert free_port(port) != port


def test_none_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with bind(free_port()) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(free_ports, "FIRST", port)
        monkeypatch.setattr(free_ports, "LAST", port)
        with pytest.raises(DevError, match="no free port"):
            free_port()
