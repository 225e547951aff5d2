"""Processes inside a simulated VM: their environment, and ending them with the VM."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from anka_sim.mac import guest_root, sandbox, settings
from anka_sim.mac.files import replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

USERS = ("anka", "admin")
PASSWORD = "admin"
SHELL = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
# Marks every process of a VM, so that those which left their process group are found as well.
MARK_VM = "ANKA_SIM_VM"
MARK_BOOT = "ANKA_SIM_BOOT"

# Settings of a Mac that a guest takes and that change nothing it could see.
_ACCEPTED = ("mdutil", "pmset", "sntp", "tmutil")
# The host's own are right where the simulator itself runs on macOS.
_NEEDED_ON_MACOS = ("anka-sim-macos", "diskutil", "hostname", "id", "sudo", "sw_vers", "whoami")
_STAND_INS = os.path.join(os.path.dirname(__file__), "macos")
_ETC = {
    "passwd": "root:x:0:0:System Administrator:/var/root:/bin/sh\nanka:x:501:20:Anka:/Users/anka:{shell}\n"
    "nobody:x:65534:65534:Unprivileged User:/var/empty:/usr/bin/false\n",
    "sudoers": "root ALL = (ALL) ALL\n%admin ALL = (ALL) NOPASSWD: ALL\n",
    "group": "wheel:x:0:root\nstaff:x:20:root,anka\nadmin:x:80:root,anka\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1\tlocalhost\n255.255.255.255\tbroadcasthost\n::1\tlocalhost\n",
}


def write_tools(home: str) -> None:
    """The commands that answer differently in a macOS guest than on the host, and its users and hosts."""
    tools, etc = os.path.join(home, guest_root.TOOLS), os.path.join(home, guest_root.ETC)
    os.makedirs(tools, exist_ok=True)
    os.makedirs(etc, exist_ok=True)
    for name in os.listdir(_STAND_INS) if sys.platform != "darwin" else _NEEDED_ON_MACOS:
        with open(os.path.join(_STAND_INS, name), encoding="utf-8") as file:
            replace_file(os.path.join(tools, name), file.read(), 0o755)
    if sys.platform != "darwin":
        for name in _ACCEPTED:
            replace_file(os.path.join(tools, name), "#!/bin/bash\n", 0o755)
        # As on a Mac: bash in POSIX mode.
        if SHELL.endswith("bash") and not os.path.lexists(os.path.join(tools, "sh")):
            os.symlink(SHELL, os.path.join(tools, "sh"))
    for name, text in _ETC.items():
        replace_file(os.path.join(etc, name), text.format(shell=SHELL), 0o644)


def environment(
    home: str,
    vm: dict[str, Any],
    boot_id: str,
    *,
    config: Mapping[str, Any] = settings.DEFAULTS,
    own_root: bool = False,
    inherit: Mapping[str, str] | None = None,
    override: Mapping[str, str] | None = None,
    user: str = "anka",
) -> dict[str, str]:
    """A guest process's environment: `inherit` never wins over the guest's own, `override` always does.

    With `own_root` its paths are the guest's, else the host's.
    """
    root = "" if own_root else sandbox.root(home, vm["uuid"])
    first, last = ("/usr/local/bin", "/usr/host-local/bin") if own_root else (f"{root}/usr/local/bin", "")
    path = [first, "" if own_root else os.path.join(home, guest_root.TOOLS), PATH, last]
    own = {
        "PATH": ":".join(part for part in path if part),
        "HOME": f"{root}/{sandbox.USER_HOME}",
        "TMPDIR": f"{root}/tmp",
        "USER": user,
        "LOGNAME": user,
        "SHELL": SHELL,
        "LANG": "C.UTF-8",
        "HOSTNAME": vm["name"],
        "VM_NAME": vm["name"],
        "VM_UUID": vm["uuid"],
        "ANKA_SIM_DISK": str(vm["hard_drive"]),
        "ANKA_SIM_CONTAINER": f"{root}/.container",
        "ANKA_SIM_CPUS": str(vm.get("cpu_cores", 2)),
        "ANKA_SIM_RAM": str(vm.get("ram_bytes", 4 << 30)),
        "ANKA_SIM_IP": str(vm.get("ip", "192.168.64.2")),
        "ANKA_SIM_MACOS": config["macos"],
        "ANKA_SIM_ARCH": config["arch"],
    }
    marks = {MARK_VM: vm["uuid"], MARK_BOOT: boot_id}
    return {**(inherit or {}), **own, **(override or {}), **marks}


def end_group(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal a process and its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def sweep(mark: str, *, uuid: str | None = None, boot_id: str | None = None) -> None:
    """Kill marked processes that left their group: those of a VM, or those of an earlier boot of this Mac.

    Works where /proc shows environments (Linux); elsewhere only process groups are ended.
    """
    if not sys.platform.startswith("linux"):
        return
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                variables = file.read().split(b"\0")
        except OSError:
            continue
        found = dict(item.partition(b"=")[::2] for item in variables if item.startswith(b"ANKA_SIM_"))
        if uuid is not None and found.get(MARK_VM.encode()) != uuid.encode():
            continue
        boot = found.get(MARK_BOOT.encode())
        if boot is None or not boot.startswith(f"{mark}:".encode()) or (boot_id and boot == boot_id.encode()):
            continue
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(int(name), signal.SIGKILL)
