"""VMs as `anka list` and `anka show` print them, typed; tolerant of what differs between 2.x and 3.x. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anka_agent.anka.errors import GarbageError

RUNNING = "running"
ARCH = {1: "amd64", 2: "arm64", "x86_64": "amd64", "amd64": "amd64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Port:
    name: str | None
    guest_port: int
    host_port: int
    protocol: str


@dataclass(frozen=True, slots=True)
class Vm:
    """A VM or template. `detailed` tells whether it comes from `show`: a row of `list` has the first fields only."""

    uuid: str
    name: str
    status: str
    version: str | None = None
    creation_date: datetime | None = None
    access_date: datetime | None = None
    start_date: datetime | None = None
    stop_date: datetime | None = None
    cpu_cores: int | None = None
    ram: str | None = None
    ram_bytes: int | None = None
    image_size: int | None = None
    arch: str | None = None
    ip: str | None = None
    mac: str | None = None
    vnc_port: int | None = None
    vnc_connection_string: str | None = None
    ports: tuple[Port, ...] = ()
    detailed: bool = False

    @property
    def running(self) -> bool:
        return self.status == RUNNING


def parse_list(body: Any) -> list[Vm]:
    """Rows of `list`; an empty body is an empty list. Raises GarbageError."""
    if not body:
        return []
    if not isinstance(body, list):
        raise GarbageError(f"a list was expected, not {str(body)[:100]}", command="list")
    return [_vm(row, detailed=False) for row in body]


def parse_show(body: Any) -> Vm:
    """The body of `show`. Raises GarbageError."""
    return _vm(body, detailed=True)


def _vm(row: Any, *, detailed: bool) -> Vm:
    command = "show" if detailed else "list"
    if not isinstance(row, Mapping):
        raise GarbageError(f"an object was expected, not {str(row)[:100]}", command=command)
    uuid, name, status = (row.get(key) for key in ("uuid", "name", "status"))
    if not isinstance(uuid, str) or not isinstance(name, str) or not isinstance(status, str):
        raise GarbageError(f"uuid, name or status is missing in {str(dict(row))[:200]}", command=command)
    return Vm(
        uuid=uuid,
        name=name,
        status=status,
        version=_text(row.get("version")),
        creation_date=moment(row.get("creation_date")),
        access_date=moment(row.get("access_date")),
        start_date=moment(row.get("start_date")),
        stop_date=moment(row.get("stop_date")),
        cpu_cores=_number(row.get("cpu_cores")),
        ram=_ram(row.get("ram")),
        ram_bytes=_number(row.get("ram_size")),
        image_size=_number(row.get("image_size")),
        arch=ARCH.get(row.get("arch", "")),
        ip=_text(row.get("ip")),
        mac=_text(row.get("mac")),
        vnc_port=_number(row.get("vnc_port")) or None,
        vnc_connection_string=_text(row.get("vnc_connection_string")),
        ports=_ports(row.get("port_forwarding")),
        detailed=detailed,
    )


def moment(value: Any) -> datetime | None:
    """An RFC 3339 time; None for absent, unreadable and for the year 1, which means never."""
    if not isinstance(value, str) or not value:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    if parsed.year <= 1:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _ports(value: Any) -> tuple[Port, ...]:
    found = []
    for rule in value if isinstance(value, list) else []:
        if not isinstance(rule, Mapping):
            continue
        guest, host = _number(rule.get("guest_port")), _number(rule.get("host_port"))
        if guest and host:
            name = _text(rule.get("name")) or _text(rule.get("rule_name"))
            found.append(Port(name, guest, host, (_text(rule.get("protocol")) or "tcp").lower()))
    return tuple(found)


def _ram(value: Any) -> str | None:
    """`4G`; 3.0 prints bytes as a string."""
    text = _text(value)
    if text and text.isdecimal() and int(text) >= 1 << 20:
        size = int(text)
        return f"{size >> 30}G" if size % (1 << 30) == 0 else f"{size >> 20}M"
    return text


def _text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else None
