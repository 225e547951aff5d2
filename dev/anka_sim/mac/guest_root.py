"""A guest's own root directory: on Linux its processes see the VM's files as a Mac's file system.

Each process gets user, mount and host name namespaces of its own: `/Users`, `/tmp`, `/usr/local` and what else it makes
are the VM's, the commands are the host's below the stand-ins for macOS, and the user is `anka` (501). Where the kernel
does not allow that (and on macOS), processes see the host's paths, and the stand-ins come first in their PATH.
"""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

UID, GID = 501, 20
TOOLS = "guest-bin"
ETC = "guest-etc"

_NEW_NAMESPACES = 0x00020000 | 0x04000000 | 0x10000000  # mount, UTS, user
_BIND = 0x1000 | 0x4000  # with all that is mounted below
_PRIVATE = 0x40000 | 0x4000
# What a guest shares with the host; all else in its root is its own.
_SHARED = ("dev", "lib", "lib32", "lib64", "libx32", "nix", "proc", "run", "sys")
_OWN_USR = ("bin", "sbin", "local")
# Of /etc only what the host's programs need; a guest may write files of its own beside them.
_SHARED_ETC = (
    *("alternatives", "ca-certificates", "crypto-policies", "fonts", "ld.so.cache", "localtime", "mime.types", "pki"),
    *("nsswitch.conf", "perl", "protocols", "resolv.conf", "services", "ssl", "terminfo"),
)
_OWN_ETC = ("group", "hosts", "passwd", "sudoers")


@dataclass(frozen=True)
class Mount:
    """The arguments of one mount(2)."""

    source: str
    target: str
    kind: str = ""
    flags: int = _BIND
    options: str = ""


def prepare(home: str, root: str) -> list[Mount]:
    """Make the mount points in a guest's root, and say what to mount on them."""
    mounts: list[Mount] = []

    def share(source: str, target: str) -> None:
        if os.path.islink(source):
            if not os.path.lexists(target):
                os.symlink(os.readlink(source), target)
        elif os.path.isdir(source):
            os.makedirs(target, exist_ok=True)
            mounts.append(Mount(source, target))

    def overlay(name: str) -> None:
        if os.path.islink(f"/{name}"):
            share(f"/{name}", f"{root}/{name}")
        elif os.path.isdir(f"/{name}"):
            os.makedirs(f"{root}/{name}", exist_ok=True)
            lower = f"lowerdir={os.path.join(home, TOOLS)}:/{name}"
            mounts.append(Mount("overlay", f"{root}/{name}", "overlay", 0, lower))

    for name in _SHARED:
        share(f"/{name}", f"{root}/{name}")
    os.makedirs(f"{root}/usr", exist_ok=True)
    for name in os.listdir("/usr"):
        if name not in _OWN_USR:
            share(f"/usr/{name}", f"{root}/usr/{name}")
    # The host's own commands, for the stand-ins that hide them, and libraries of programs in the host's /usr/local.
    for source, target in (("/usr/bin", "host"), ("/usr/sbin", "host-sbin"), ("/usr/local/lib", "local/lib")):
        share(source, f"{root}/usr/{target}")
    share("/usr/local", f"{root}/usr/host-local")
    for name in ("usr/bin", "usr/sbin", "bin", "sbin"):
        overlay(name)
    os.makedirs(f"{root}/private/etc", exist_ok=True)
    if not os.path.lexists(f"{root}/etc"):
        os.symlink("private/etc", f"{root}/etc")
    for name in _SHARED_ETC:
        source, target = os.path.realpath(f"/etc/{name}"), f"{root}/private/etc/{name}"
        if os.path.isdir(source):
            os.makedirs(target, exist_ok=True)
        elif os.path.exists(source):
            with open(target, "ab"):
                pass
        else:
            continue
        mounts.append(Mount(source, target))
    for name in _OWN_ETC:
        if not os.path.exists(f"{root}/private/etc/{name}"):
            with open(os.path.join(home, ETC, name), "rb") as given, open(f"{root}/private/etc/{name}", "wb") as own:
                own.write(given.read())
    return mounts


def entering(root: str, mounts: list[Mount], *, hostname: str, cwd: str) -> Callable[[], None]:
    """What a child process does before it executes its command: make the namespaces and go into the root."""
    libc = ctypes.CDLL(None, use_errno=True)
    maps = {"setgroups": "deny", "uid_map": f"{UID} {os.geteuid()} 1", "gid_map": f"{GID} {os.getegid()} 1"}
    encoded = [
        (m.source.encode(), m.target.encode(), m.kind.encode() or None, m.flags, m.options.encode() or None)
        for m in mounts
    ]
    name = hostname.encode()

    def check(result: int) -> None:
        if result:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def enter() -> None:
        check(libc.unshare(_NEW_NAMESPACES))
        for file, text in maps.items():
            with open(f"/proc/self/{file}", "w", encoding="ascii") as entry:
                entry.write(text)
        check(libc.sethostname(name, len(name)))
        check(libc.mount(None, b"/", None, ctypes.c_ulong(_PRIVATE), None))
        for source, target, kind, flags, options in encoded:
            check(libc.mount(source, target, kind, ctypes.c_ulong(flags), options))
        os.chroot(root)
        os.chdir(cwd)

    return enter


@functools.lru_cache(maxsize=8)
def is_possible(home: str, root: str) -> bool:
    """Whether this kernel and this user can do it: tried once, with the root of the first VM."""
    # These characters separate the options of an overlay.
    if not sys.platform.startswith("linux") or any(mark in home for mark in ",:\\"):
        return False
    try:
        enter = entering(root, prepare(home, root), hostname="probe", cwd="/")
        done = subprocess.run(["/bin/bash", "-c", "exit 42"], preexec_fn=enter, check=False, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 42
