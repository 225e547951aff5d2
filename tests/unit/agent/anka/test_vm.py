from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from anka_agent.anka import vm as module
from anka_agent.anka.errors import GarbageError
from anka_agent.anka.vm import ListReader, VmListing, VmPort, moment, parse_show
from anka_runtime.elements import read_elements

ROW = {"uuid": "u", "name": "n", "status": "stopped"}


def parse_list(body: Any) -> VmListing:
    return ListReader(read_elements).read(body)


def test_rows() -> None:
    (vm,) = parse_list([{**ROW, "version": "v1", "creation_date": "2026-01-02T03:04:05Z", "unknown": [1]}]).vms
    assert (vm.uuid, vm.name, vm.status, vm.version, vm.detailed) == ("u", "n", "stopped", "v1", False)
    assert vm.creation_date == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("empty", [None, {}, [], ""])
def test_no_vms(empty: Any) -> None:
    assert parse_list(empty) == VmListing([])


@pytest.mark.parametrize("bad", ["text", 5, {"uuid": "u"}])
def test_garbage(bad: Any) -> None:
    with pytest.raises(GarbageError):
        parse_list(bad)


def test_a_row_that_cannot_be_read_is_left_out_and_may_be_a_vm_that_is_known() -> None:
    vm, other = (parse_list([{**ROW, "uuid": uuid, "name": f"n-{uuid}"}]).vms[0] for uuid in ("u", "o"))
    maybe: list[tuple[Any, tuple[bool, bool]]] = [
        (5, (True, True)),
        ({}, (True, True)),
        ({"uuid": "u"}, (True, False)),
        ({"uuid": 1, "name": "n-o"}, (False, True)),
        ({**ROW, "status": None}, (True, False)),
    ]
    for bad, found in maybe:
        listing = parse_list([{**ROW, "uuid": "third"}, bad])
        assert [one.uuid for one in listing.vms] == ["third"]
        assert (listing.may_have(vm), listing.may_have(other)) == found, bad


def test_a_row_is_parsed_again_only_when_it_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = module._vm

    def count(row: Any, *, detailed: bool) -> module.Vm:
        parsed.append(f"{row['uuid']} {row['status']}")
        return parse(row, detailed=detailed)

    monkeypatch.setattr(module, "_vm", count)
    reader = ListReader(read_elements)
    rows = [{**ROW, "uuid": "a"}, {**ROW, "uuid": "b"}]
    reader.read(rows)
    parsed.clear()
    listing = reader.read([{**ROW, "uuid": "b"}, {**ROW, "uuid": "a", "status": "running"}, {**ROW, "uuid": "c"}])
    assert [(vm.uuid, vm.status) for vm in listing.vms] == [("b", "stopped"), ("a", "running"), ("c", "stopped")]
    assert parsed == ["a running", "c stopped"]
    parsed.clear()
    reader.read([{**ROW, "uuid": "a", "status": "running"}])
    assert [vm.uuid for vm in reader.read(rows).vms] == ["a", "b"], "what was gone is new"
    assert parsed == ["a stopped", "b stopped"]


@pytest.mark.parametrize("weird", [float("inf"), float("nan"), 10**30, "9" * 5000, [1], {}, True, "x"])
@pytest.mark.parametrize("key", ["cpu_cores", "ram", "ram_size", "arch", "vnc_port", "creation_date", "ip"])
def test_no_value_of_a_row_spoils_it(key: str, weird: Any) -> None:
    assert parse_show({**ROW, key: weird}).uuid == "u"


def test_a_time_at_the_end_of_time() -> None:
    assert moment("9999-12-31T23:59:59-23:59") is None


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
    assert vm.ports == (VmPort("ssh", 22, 10000, "tcp"),)


def test_show_2x() -> None:
    vm = parse_show(
        {
            **ROW, "arch": "x86_64", "ram": str(8 << 30), "ip": "", "vnc_port": 0,
            "port_forwarding": [{"guest_port": "22", "host_port": "10022", "rule_name": "ssh"}, {"guest_port": 80}, 7],
        }
    )  # fmt: skip
    assert (vm.arch, vm.ram, vm.ip, vm.vnc_port) == ("amd64", "8G", None, None)
    assert vm.ports == (VmPort("ssh", 22, 10022, "tcp"),)


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
