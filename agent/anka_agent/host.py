"""Facts about the machine: cores, RAM, disk, architecture, its address. One interface for macOS and Linux."""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Hardware:
    cpu_count: int
    ram_gib: int
    disk_size_bytes: int
    arch: str | None
    """Of VMs here, as far as the machine itself tells; on anything but a Mac only Anka's templates can."""


def hardware(path: Path) -> Hardware:
    """Of this machine; the disk is the one that `path` lies on."""
    return Hardware(
        cpu_count=os.cpu_count() or 1,
        ram_gib=max(1, round(_ram_bytes() / GIB)),
        disk_size_bytes=disk_bytes(path),
        arch=architecture(platform.machine()) if sys.platform == "darwin" else None,
    )


def disk_bytes(path: Path) -> int:
    return shutil.disk_usage(path).total


def free_disk_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free


def cpu_percent() -> int:
    """Load of the last minute as a share of all cores, at most 100: the same figure on macOS and Linux."""
    return min(100, round(100 * os.getloadavg()[0] / (os.cpu_count() or 1)))


def ram_percent() -> int:
    """Share of the RAM that is in use; 0 where the system does not tell."""
    if sys.platform == "darwin":
        answer = subprocess.run(["/usr/bin/vm_stat"], capture_output=True, text=True, check=False).stdout
        return used_percent(answer, _ram_bytes())
    try:
        free, total = os.sysconf("SC_AVPHYS_PAGES"), os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
    return max(0, min(100, round(100 * (total - free) / total))) if total > 0 else 0


def used_percent(vm_stat: str, ram_bytes: int) -> int:
    """From the output of macOS's `vm_stat`: all but what is free, inactive or speculative."""
    size = re.search(r"page size of (\d+) bytes", vm_stat)
    pages = dict(re.findall(r"^Pages (free|inactive|speculative):\s+(\d+)\.", vm_stat, re.MULTILINE))
    if size is None or not pages or ram_bytes <= 0:
        return 0
    spare = sum(int(count) for count in pages.values()) * int(size.group(1))
    return max(0, min(100, round(100 * (ram_bytes - spare) / ram_bytes)))


def architecture(machine: str) -> str:
    return "arm64" if machine.lower() in ("arm64", "aarch64") else "amd64"


def address_towards(url: str) -> str | None:
    """The own address from which this server is reached. Nothing is sent: a UDP socket only chooses a route."""
    parts = urlsplit(url)
    host, port = parts.hostname, parts.port or 443
    if host is None:
        return None
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(where)
            return str(probe.getsockname()[0])
    except OSError:
        return None


def host_name() -> str:
    return socket.gethostname().removesuffix(".local") or "mac"


def _ram_bytes() -> int:
    if sys.platform == "darwin":
        answer = subprocess.run(["/usr/sbin/sysctl", "-n", "hw.memsize"], capture_output=True, text=True, check=False)
        return int(answer.stdout) if answer.stdout.strip().isdecimal() else GIB
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
