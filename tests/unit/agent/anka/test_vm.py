from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from anka_agent.anka.errors import GarbageError
from anka_agent.anka.vm import Port, moment, parse_list, parse_show

ROW = {"uuid": "u", "name": "n", "status": "stopped"}


def test_rows() -> None:
    (vm,) = parse_list([{**ROW, "version": "v1", "creation_date": "2026-01-02T03:04:05Z", "unknown": [1]}])
    assert (vm.uuid, vm.name, vm.status, vm.version, vm.detailed) == ("u", "n", "stopped", "v1", False)
    assert vm.creation_date == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("empty", [None, {}, [], ""])
def test_no_vms(empty: Any) -> None:
    assert parse_list(empty) == []


@pytest.mark.parametrize("bad", ["text", 5, [5], [{"uuid": "u"}], [{**ROW, "status": None}], {"uuid": "u"}])
def test_garbage(bad: Any) -> None:
    with pytest.raises(GarbageError):
        parse_list(bad)


def test_show_3x() -> None:
    vm = parse_show(
        {
            **ROW, "status": "running", "arch": 2, "cpu_cores": 4, "ram": "4G", "ram_size": 4 << 30,
            "ip": "192.168.64.2", "start_date": "2026-01-01T00:00:00Z", "stop_date": "0001-01-01T00:00:00Z",
            "vnc_port": 5900, "mac": "m",
            "port_forwarding": [{"guest_port": 22, "host_port": 10000, "protocol": "TCP", "name": "ssh"}],
        }
    )  # fmt: skip
    assert vm.running
    assert vm.detailed
    assert (vm.arch, vm.ram, vm.ram_bytes, vm.stop_date) == ("arm64", "4G", 4 << 30, None)
    assert vm.ports == (Port("ssh", 22, 10000, "tcp"),)


def test_show_2x() -> None:
    vm = parse_show(
        {
            **ROW, "arch": "x86_64", "ram": str(8 << 30), "ip": "", "vnc_port": 0,
            "port_forwarding": [{"guest_port": "22", "host_port": "10022", "rule_name": "ssh"}, {"guest_port": 80}, 7],
        }
    )  # fmt: skip
    assert (vm.arch, vm.ram, vm.ip, vm.vnc_port) == ("amd64", "8G", None, None)
    assert vm.ports == (Port("ssh", 22, 10022, "tcp"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
        (5, None),
        (None, None),
    ],
)
def test_moment(text: Any, expected: datetime | None) -> None:
    assert moment(text) == expected
