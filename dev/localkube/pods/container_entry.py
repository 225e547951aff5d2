"""Becomes a container: namespaces, root, mounts, user, and then its command. Standard library only; run as a script.

    container_entry.py PLAN_FILE

The plan is a JSON object that ``container_runtime`` writes. Runs as root of Linux. The process that was started stays
outside: it passes signals on, and ends as the container ends, whose process is number 1 in a namespace of its own and
dies with it. A container that cannot start is reported on standard error, with exit code 128.
"""

import ctypes
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

CANNOT_START = 128
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
# linux/sched.h, sys/mount.h, linux/prctl.h: no library of Python's names them all before 3.12.
NEWNS, NEWUTS, NEWIPC, NEWPID = 0x20000, 0x4000000, 0x8000000, 0x20000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
OUTSIDE = "/.outside"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# Paths of /proc that containers cannot see, and paths that they cannot write: containerd's defaults.
MASKED = ("acpi", "asound", "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug", "scsi")
READ_ONLY = ("bus", "fs", "irq", "sys", "sysrq-trigger")

libc = ctypes.CDLL(None, use_errno=True)


def call(function: Callable[..., int], *arguments: Any) -> None:
    if function(*(word.encode() if isinstance(word, str) else word for word in arguments)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), " ".join(str(word) for word in arguments))


def mount(source: str, target: str, kind: str = "none", flags: int = 0, data: str = "") -> None:
    call(libc.mount, source, target, kind, ctypes.c_ulong(flags), data)


def bind(source: str, target: str, read_only: bool) -> None:
    """Bind a file or a folder; the mount point is created."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "ab"):
            pass
    mount(source, target, flags=BIND | REC)
    if read_only:
        mount("none", target, flags=BIND | REMOUNT | RDONLY)


def prctl(option: int, value: int) -> None:
    call(libc.prctl, option, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3)


def change_root(lower: str, stage: str) -> None:
    """Make the image's files the root, below a writable layer that ends with the container."""
    mount("none", "/", flags=REC | PRIVATE)
    mount("tmpfs", stage, "tmpfs", data="mode=0755")
    upper, work, root = (os.path.join(stage, name) for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        os.mkdir(folder, 0o755)
    lower = lower.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
    mount("overlay", root, "overlay", data=f"lowerdir={lower},upperdir={upper},workdir={work}")
    os.makedirs(root + OUTSIDE)
    call(libc.pivot_root, root, root + OUTSIDE)
    os.chdir("/")


def mount_system() -> None:
    """Mount /proc, /dev and /sys."""
    for folder in ("/proc", "/sys", "/dev"):
        os.makedirs(folder, exist_ok=True)
    mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)
    mount("sysfs", "/sys", "sysfs", NOSUID | NODEV | NOEXEC | RDONLY)
    mount("tmpfs", "/dev", "tmpfs", NOSUID, "mode=0755,size=64k")
    for name in DEVICES:
        bind(f"{OUTSIDE}/dev/{name}", f"/dev/{name}", read_only=False)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"/dev/{name}")
    os.symlink("/proc/self/fd", "/dev/fd")
    os.mkdir("/dev/shm")
    mount("tmpfs", "/dev/shm", "tmpfs", NOSUID | NODEV | NOEXEC, "mode=1777,size=64m")


def mask_proc() -> None:
    """Mask the parts of /proc that would show or change the machine."""
    for path in existing(READ_ONLY):
        bind(path, path, read_only=True)
    for path in existing(MASKED):
        if os.path.isdir(path):
            mount("tmpfs", path, "tmpfs", RDONLY, "size=0")
        else:
            mount("/dev/null", path, flags=BIND)


def existing(names: Iterable[str]) -> list[str]:
    return [path for name in names if os.path.exists(path := f"/proc/{name}")]


def drop_privileges(plan: dict[str, Any], last: int) -> None:
    """Drop to the plan's user, groups and capabilities."""
    for number in range(last + 1):
        if number not in plan["capabilities"]:
            prctl(PR_CAPBSET_DROP, number)
    os.setgroups(plan["groups"])
    os.setresgid(plan["group"], plan["group"], plan["group"])
    os.setresuid(plan["user"], plan["user"], plan["user"])
    # The kernel clears it when the user changes.
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if plan["no_new_privileges"]:
        prctl(PR_SET_NO_NEW_PRIVS, 1)


def become(plan: dict[str, Any]) -> None:
    """Become the container's process. OSError says what the kernel refused."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with open("/proc/sys/kernel/cap_last_cap") as stream:
        last = int(stream.read())
    call(libc.unshare, NEWNS | NEWUTS | NEWIPC)
    socket.sethostname(plan["hostname"])
    os.umask(0o022)
    change_root(plan["lower"], plan["stage"])
    mount_system()
    for source, target, read_only in plan["mounts"]:
        bind(OUTSIDE + source, target, read_only)
    os.makedirs(plan["directory"], exist_ok=True)
    mask_proc()
    call(libc.umount2, OUTSIDE, MNT_DETACH)
    os.rmdir(OUTSIDE)
    if plan["read_only"]:
        mount("none", "/", flags=BIND | REMOUNT | RDONLY)
    os.chdir(plan["directory"])
    drop_privileges(plan, last)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execvpe(plan["argv"][0], plan["argv"], plan["env"])
    except FileNotFoundError:
        why = "no such file or directory" if "/" in plan["argv"][0] else "executable file not found in $PATH"
    except OSError as error:
        why = str(error.strerror).lower()
    raise SystemExit(f'exec: "{plan["argv"][0]}": {why}')


def main(path: str) -> int:
    with open(path) as stream:
        plan = json.load(stream)
    # Until parent and child have their handlers.
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    call(libc.unshare, NEWPID)
    child = os.fork()
    if child == 0:
        _child(plan)
    for number in PASSED_ON:
        signal.signal(number, lambda number, _: os.kill(child, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return 128 - code if code < 0 else code


def _child(plan: dict[str, Any]) -> NoReturn:
    try:
        become(plan)
    except (Exception, SystemExit) as error:
        os.write(2, f"{error}\n".encode())
    finally:
        # Never return into the parent's code: the parent waits for this exit.
        os._exit(CANNOT_START)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
