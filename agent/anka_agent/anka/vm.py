"""VMs as `anka list` and `anka show` print them, typed, from Anka 2 and 3. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anka_agent.anka.errors import GarbageError

RUNNING = "running"
ARCH = {1: "amd64", 2: "arm64", "x86_64": "amd64", "amd64": "amd64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class VmPort:
    name: str | None
    guest_port: int
    host_port: int
    protocol: str


@dataclass(frozen=True, slots=True)
class Vm:
    """A VM or template. `detailed`: whether it comes from `show`; a row of `list` has only the first fields."""

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
    ports: tuple[VmPort, ...] = ()
    detailed: bool = False

    @property
    def running(self) -> bool:
        return self.status == RUNNING


@dataclass(frozen=True, slots=True)
class VmListing:
    """`unreadable`: rows that cannot be read."""

    vms: list[Vm]
    unreadable: tuple[Any, ...] = ()

    def may_have(self, vm: Vm) -> bool:
        """Whether this VM may be one of the unreadable rows: then nobody knows that it is gone."""
        return any(_may_be(row, vm) for row in self.unreadable)


class ListReader:
    """Parses what `list` prints every few seconds: a row that is as it was the last time is not parsed again.

    `read` leaves out what cannot be parsed."""

    def __init__(self, read: Callable[[str, list[Any], Callable[[Any], Vm]], list[Vm]]) -> None:
        self._read_elements = read
        self._last: dict[str, tuple[Any, Vm]] = {}
        """Rows by their UUIDs."""

    def read(self, body: Any) -> VmListing:
        """An empty body is an empty list. Raises GarbageError."""
        if not body:
            return VmListing([])
        if not isinstance(body, list):
            raise GarbageError(f"a list was expected, not {str(body)[:100]}", command="list")
        unreadable = []
        parsed: dict[str, tuple[Any, Vm]] = {}

        def parse(row: Any) -> Vm:
            uuid = row.get("uuid") if isinstance(row, Mapping) else None
            before, vm = self._last.get(uuid, (None, None)) if isinstance(uuid, str) else (None, None)
            if vm is None or before != row:
                try:
                    vm = _vm(row, detailed=False)
                except Exception:
                    unreadable.append(row)
                    raise
            parsed[vm.uuid] = (row, vm)
            return vm

        vms = self._read_elements("VMs that anka lists", body, parse)
        self._last = parsed
        return VmListing(vms, tuple(unreadable))


def _may_be(row: Any, vm: Vm) -> bool:
    for key, value in (("uuid", vm.uuid), ("name", vm.name)):
        if isinstance(row, Mapping) and isinstance(row.get(key), str):
            return bool(row[key] == value)
    return True


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
    if not uuid:
        raise GarbageError(f"uuid is empty in {str(dict(row))[:200]}", command=command)
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
        arch=_arch(row.get("arch")),
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
    try:
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except OverflowError:
        return None


def _ports(value: Any) -> tuple[VmPort, ...]:
    found = []
    for rule in value if isinstance(value, list) else []:
        if not isinstance(rule, Mapping):
            continue
        guest, host = _number(rule.get("guest_port")), _number(rule.get("host_port"))
        if guest and host:
            name = _text(rule.get("name")) or _text(rule.get("rule_name"))
            found.append(VmPort(name, guest, host, (_text(rule.get("protocol")) or "tcp").lower()))
    return tuple(found)


def _ram(value: Any) -> str | None:
    """`4G`; 3.0 prints bytes as a string."""
    text = _text(value)
    size = _number(text)
    if size is not None and size >= 1 << 20:
        return f"{size >> 30}G" if size % (1 << 30) == 0 else f"{size >> 20}M"
    return text


def _text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | None:
    if isinstance(value, bool) or not (
        isinstance(value, int | float) or (isinstance(value, str) and value.isdecimal())
    ):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 2**63 else None


def _arch(value: Any) -> str | None:
    return ARCH.get(value) if isinstance(value, str | int) else None
