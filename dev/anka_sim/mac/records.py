"""The record of one VM or template when it is new, cloned, started and halted. Pure: no files, no clock."""

from __future__ import annotations

import time

from anka_sim.mac import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NEVER = "0001-01-01T00:00:00Z"
# What a clone does not inherit: its own life, and the tags of the template.
_LIVE = ("boot_id", "network_at", "ip", "hostif", "pid", "vnc_port", "vnc_password", "ports", "number")
_OWN = (*_LIVE, "start_date", "stop_date", "usb", "tags")


def timestamp(moment: float) -> str:
    """RFC 3339 in UTC, as the command prints times."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def new_uuid(random: bytes) -> str:
    """A version 4 UUID from 16 random bytes (the `uuid` module costs a noticeable part of the start-up)."""
    raw = bytearray(random)
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def mac_address(uuid: str) -> str:
    """A locally administered address that stays the same for a UUID."""
    tail = uuid.replace("-", "")[:10]
    return "16:" + ":".join(tail[i : i + 2] for i in range(0, 10, 2))


def new(
    uuid: str,
    name: str,
    now: float,
    *,
    arch: str = "arm64",
    cpu: int = 4,
    ram: int = 4 << 30,
    disk: int = 100 << 30,
    image_size: int = 0,
) -> dict[str, Any]:
    """A stopped VM; sizes in bytes."""
    return {
        "uuid": uuid,
        "name": name,
        "created": now,
        "creation_date": timestamp(now),
        "access_date": timestamp(now),
        "status": "stopped",
        "arch": arch,
        "cpu_cores": cpu,
        "ram_bytes": ram,
        "hard_drive": disk,
        "image_size": image_size,
        "description": "",
        "labels": {},
        "custom": {},
        "mounts": [],
        "network": {
            "mode": "shared",
            "controller": "virtio-net",
            "local": True,
            "vlan": 0,
            "mac": "auto",
            "bridge": "",
        },
        "display": {"count": 1, "controller": "pg", "vnc": True, "dpi": 72, "resolution": "1024x768", "fps": 30},
        "rules": [{"name": "ssh", "protocol": "tcp", "guest_port": 22, "host_port": 0, "host_ip": ""}],
        "usb": [],
        "tags": [],
    }


def clone(source: dict[str, Any], uuid: str, name: str, now: float) -> dict[str, Any]:
    """A stopped copy. A fixed MAC address is not copied: it would be on the network twice."""
    vm = {key: value for key, value in source.items() if key not in _OWN}
    vm.update(
        uuid=uuid,
        name=name,
        created=now,
        creation_date=timestamp(now),
        access_date=timestamp(now),
        status="stopped",
        source=source["uuid"],
        usb=[],
        tags=[],
        starts=0,
    )
    vm["network"] = dict(source["network"], mac="auto")
    vm["rules"] = [dict(rule) for rule in source["rules"]]
    return vm


def with_start(
    vm: dict[str, Any],
    *,
    boot_id: str,
    ports: list[dict[str, Any]],
    number: int,
    now: float,
    config: dict[str, Any],
    pid: int,
) -> dict[str, Any]:
    """The record of the VM once it runs; `number` is free among the running VMs and gives the address and VNC port."""
    return dict(
        vm,
        status="running",
        boot_id=boot_id,
        start_date=timestamp(now),
        access_date=timestamp(now),
        network_at=now + float(config["delays"]["network"]),
        ip=f"192.168.64.{2 + number % 250}",
        hostif=f"bridge{100 + number}",
        vnc_port=5900 + number,
        number=number,
        pid=pid,
        ports=ports,
        starts=vm.get("starts", 0) + 1,
    )


def with_halt(vm: dict[str, Any], status: str, now: float | None) -> dict[str, Any]:
    """The record of the VM once it no longer runs; `now` is None when the power failed, so that the time is unknown."""
    stopped = {key: value for key, value in vm.items() if key not in _LIVE}
    # USB devices are a running VM's.
    stopped.update(status=status, usb=[])
    if now is not None:
        stopped["stop_date"] = timestamp(now)
    return stopped


def size_text(size: int) -> str:
    """Bytes as the command writes RAM and disk sizes, such as `4G`."""
    for unit, shift in (("T", 40), ("G", 30), ("M", 20), ("K", 10)):
        if size >= 1 << shift and size % (1 << shift) == 0:
            return f"{size >> shift}{unit}"
    return str(size)


def arch_number(vm: dict[str, Any]) -> int:
    return settings.ARCH_NUMBER[vm["arch"]]
