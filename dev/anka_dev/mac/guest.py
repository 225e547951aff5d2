"""Processes inside a simulated VM: their environment, and ending them with the VM."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from anka_dev.mac import sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

USERS = ("anka", "admin")
PASSWORD = "admin"
SHELL = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
# Marks every process of a VM, so that those which left their process group are found as well.
MARK_VM = "ANKA_SIM_VM"
MARK_BOOT = "ANKA_SIM_BOOT"

_TOOLS = {
    "hostname": 'echo "$HOSTNAME"',
    "whoami": 'echo "$USER"',
    "sudo": """while [ "${1#-}" != "$1" ]; do shift; done
exec "$@\"""",
    # The APFS container of the VM: as large as the disk was when it was last grown.
    "diskutil": r"""case "$1 $2" in
"info /") printf '   %-26s disk3\n   %-26s %s Bytes\n' "APFS Container:" "Container Total Space:" \
  "$(cat "$TMPDIR/../.container" 2>/dev/null || echo 0)" ;;
"apfs resizeContainer")
  if [ "$3" != disk3 ]; then echo "Could not find APFS Container $3" >&2; exit 1; fi
  if [ "$(cat "$TMPDIR/../.container" 2>/dev/null)" = "$ANKA_SIM_DISK" ]; then
    echo "Error: -69743: The new size must be different than the existing size" >&2; exit 1
  fi
  echo "$ANKA_SIM_DISK" > "$TMPDIR/../.container"; echo "Finished APFS operation" ;;
*) echo "diskutil: did not recognize verb \"$1\"" >&2; exit 1 ;;
esac""",
    "sw_vers": """case "$1" in
-productVersion|--productVersion) echo "{macos}" ;;
*) printf 'ProductName:\\t\\tmacOS\\nProductVersion:\\t\\t{macos}\\n' ;;
esac""",
}


def write_tools(home: str, config: dict[str, Any]) -> None:
    """The few commands that answer differently in a macOS guest than on the host."""
    directory = os.path.join(home, "guest-bin")
    os.makedirs(directory, exist_ok=True)
    for name, body in _TOOLS.items():
        path = os.path.join(directory, name)
        with open(f"{path}.tmp", "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + body.replace("{macos}", config["macos"]) + "\n")
        os.chmod(f"{path}.tmp", 0o755)
        os.replace(f"{path}.tmp", path)


def environment(
    home: str,
    vm: dict[str, Any],
    boot_id: str,
    *,
    inherit: Mapping[str, str] | None = None,
    override: Mapping[str, str] | None = None,
    user: str = "anka",
) -> dict[str, str]:
    """A guest process's environment: `inherit` never wins over the guest's own, `override` always does."""
    root = sandbox.root(home, vm["uuid"])
    own = {
        "PATH": f"{os.path.join(home, 'guest-bin')}:{PATH}",
        "HOME": os.path.join(root, sandbox.USER_HOME),
        "TMPDIR": os.path.join(root, "tmp"),
        "USER": user,
        "LOGNAME": user,
        "SHELL": SHELL,
        "LANG": "C.UTF-8",
        "HOSTNAME": vm["name"],
        "VM_NAME": vm["name"],
        "VM_UUID": vm["uuid"],
        "ANKA_SIM_DISK": str(vm["hard_drive"]),
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
