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


def test_nobody_is_given_one_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither here nor in another process, though no server has started on any yet."""
    program = (
        "import pathlib, sys; from localkube import free_ports\n"
        "free_ports.CURSOR = pathlib.Path(sys.argv[1])\n"
        "print(*(free_ports.free_port() for _ in range(200)))"
    )
    monkeypatch.setattr(free_ports, "CURSOR", tmp_path / "cursor")
    others = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "cursor")], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    chosen = [free_port() for _ in range(200)]
    for other in others:
        chosen += [int(word) for word in other.communicate(timeout=60)[0].split()]
    assert len(chosen) == len(set(chosen)) == 600


@pytest.mark.parametrize("left", ["", "what is no port", "5", "99999", str(LAST)])
def test_whatever_the_cursor_says_the_port_is_one_of_ours(
    left: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cursor").write_text(left)
    monkeypatch.setattr(free_ports, "CURSOR", tmp_path / "cursor")
    assert all(FIRST <= free_port() <= LAST for _ in range(3))


def test_where_no_cursor_can_be_written_chance_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_ports, "CURSOR", tmp_path / "nowhere" / "cursor")
    assert FIRST <= free_port() <= LAST


def test_none_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_ports, "CURSOR", tmp_path / "cursor")
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
