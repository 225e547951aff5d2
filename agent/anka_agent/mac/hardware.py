"""Facts about the machine: cores, RAM, disk, architecture, its address. One interface for macOS and Linux."""

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class HostHardware:
    cpu_count: int
    ram_gib: int
    disk_size_bytes: int
    arch: str | None
    """Architecture of its VMs, if the machine itself shows it; without a Mac, only Anka's templates can."""


def read_hardware(path: Path) -> HostHardware:
    """Hardware of this machine; the disk is the one that `path` is on."""
    return HostHardware(
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
    """Load of the last minute in percent of all cores, at most 100: the same figure on macOS and Linux."""
    return min(100, round(100 * os.getloadavg()[0] / (os.cpu_count() or 1)))


def ram_percent() -> int:
    """Percent of the RAM that is in use; 0 if the system does not say. Blocking: macOS is asked by a command."""
    if sys.platform == "darwin":
        return parse_vm_stat(_ask("/usr/bin/vm_stat"), _ram_bytes())
    try:
        free, total = os.sysconf("SC_AVPHYS_PAGES"), os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
    return max(0, min(100, round(100 * (total - free) / total))) if total > 0 else 0


def parse_vm_stat(vm_stat: str, ram_bytes: int) -> int:
    """Percent of the RAM in use, from the output of macOS's `vm_stat`: all but free, inactive and speculative pages."""
    size = re.search(r"page size of (\d+) bytes", vm_stat)
    pages = dict(re.findall(r"^Pages (free|inactive|speculative):\s+(\d+)\.", vm_stat, re.MULTILINE))
    if size is None or not pages or ram_bytes <= 0:
        return 0
    spare = sum(int(count) for count in pages.values()) * int(size.group(1))
    return max(0, min(100, round(100 * (ram_bytes - spare) / ram_bytes)))


def architecture(machine: str) -> str:
    return "arm64" if machine.lower() in ("arm64", "aarch64") else "amd64"


def address_towards(url: str) -> str | None:
    """The local address from which this server is reached. Nothing is sent: a UDP socket only chooses a route."""
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


def read_hardware_uuid(anka: str) -> str | None:
    """What tells this machine from every other one; None if it does not say. Elsewhere than on macOS a machine that
    stands for a Mac has an `ioreg` beside its `anka`. Blocking."""
    command = "/usr/sbin/ioreg"
    if sys.platform != "darwin":
        command = str(Path(shutil.which(anka) or anka).with_name("ioreg"))
    argv = [command, "-rd1", "-c", "IOPlatformExpertDevice"]
    try:
        answer = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False).stdout  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'"IOPlatformUUID" = "([0-9A-Fa-f-]{36})"', answer)
    return found[1] if found is not None else None


def host_name() -> str:
    return socket.gethostname().removesuffix(".local") or "mac"


def _ram_bytes() -> int:
    if sys.platform == "darwin":
        try:
            return _read_memsize()
        except ValueError:
            return GIB
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@cache
def _read_memsize() -> int:
    """Once: it does not change while the Mac runs, and usage is read with every heartbeat. Raises ValueError."""
    return int(_ask("/usr/sbin/sysctl", "-n", "hw.memsize"))


def _ask(*command: str) -> str:
    """What a command of macOS prints; empty if it does not work. With `close_fds`, the whole agent would be copied for
    it instead of spawned: what it opens is not inherited anyway (PEP 446)."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False, close_fds=False).stdout  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
