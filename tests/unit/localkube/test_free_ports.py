"""Ports that nothing takes before their server starts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
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
    with bind(port) as taken:
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


HOLDER = "import sys; from localkube.free_ports import free_port; print(free_port(), flush=True); sys.stdin.read()"


@pytest.mark.skipif(sys.platform != "linux", reason="ports are held on Linux alone")
def test_nobody_else_is_given_one_whose_server_is_still_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this process nor another one; its own server can start all the same."""
    command = [sys.executable, "-c", HOLDER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        for port in (free_port(), int(other.stdout.readline())):
            with monkeypatch.context() as patched:
                patched.setattr(free_ports, "FIRST", port)
                patched.setattr(free_ports, "LAST", port)
                with pytest.raises(DevError, match="no free port"):
                    free_port()
            with socket.create_server((HOST, port)), socket.create_connection((HOST, port)):
                pass
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((HOST, port))
        other.communicate()


def test_held_ports_do_not_fill_the_process() -> None:
    before = len(os.listdir("/dev/fd"))
    for _ in range(300):
        free_port()
    assert len(os.listdir("/dev/fd")) <= before + free_ports._HELD
