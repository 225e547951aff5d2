"""The `anka` command's side of the hypervisor daemon: find it, start it, send it requests.

Single instance: the daemon owns an exclusive lock on `host.lock` for as long as it lives. The process that starts
it takes the lock first and hands it over by inheritance, so that there is no moment in which two could start.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import time

from anka_sim.mac import fastjson, store
from anka_sim.mac.errors import CONNECTION_LOST, GENERIC, SimulatedAnkaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from anka_sim.mac.core import SimulatedMac

START_TIMEOUT = 30.0
END_TIMEOUT = 10.0
HEADER = struct.Struct("!I")


def lock_file(home: str) -> int:
    return os.open(os.path.join(home, "host.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)


def running(home: str) -> dict[str, Any] | None:
    """The record of the live daemon (boot_id, pid, socket); None when there is none."""
    fd = lock_file(home)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return store.read_json(os.path.join(home, "host.json"))
    finally:
        os.close(fd)
    return None


class DaemonHypervisor:
    """Talks to the daemon of one Mac over its unix socket; starts it when a VM is to start."""

    def __init__(self, home: str) -> None:
        self._home = os.path.abspath(home)

    def boot_id(self) -> str | None:
        host = running(self._home)
        return host["boot_id"] if host else None

    def start(self, mac: SimulatedMac, uuid: str) -> dict[str, Any]:
        # The daemon ends when it is idle; a request that meets its end is sent again to the next daemon.
        for _ in range(3):
            self._ensure(mac)
            boot_id = self.boot_id()
            answer = self._ask({"op": "start", "uuid": uuid})
            if answer is not None:
                return dict(answer["vm"])
            self._wait_for_end(boot_id)
        raise SimulatedAnkaError("the hypervisor does not stay up; see host.log in the Mac's directory", GENERIC)

    def halt(self, mac: SimulatedMac, uuid: str, status: str, *, force: bool) -> None:
        self._ask({"op": "halt", "uuid": uuid, "status": status, "force": force})

    def run(self, mac: SimulatedMac, uuid: str, command: dict[str, Any], fds: list[int]) -> int:
        answer = self._ask({"op": "run", "uuid": uuid, **command}, fds)
        return CONNECTION_LOST if answer is None else int(answer["exit"])

    def power_off(self) -> None:
        """End the daemon and everything in its VMs, as a power failure does; waits for its end."""
        self._ask({"op": "shutdown"})
        fd = lock_file(self._home)
        fcntl.flock(fd, fcntl.LOCK_EX)
        os.close(fd)

    def _ask(self, request: dict[str, Any], fds: list[int] | None = None) -> dict[str, Any] | None:
        """The daemon's answer; None when there is no daemon or it ended."""
        host = running(self._home)
        if host is None:
            return None
        # The C half of the socket module: the rest (selectors, enum) would cost a fifth of the command.
        import _socket
        import array

        body = fastjson.dumps(request).encode()
        try:
            connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
            try:
                connection.connect(host["socket"])
                passed = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
                connection.sendmsg([HEADER.pack(len(body))], passed)
                connection.sendall(body)
                reply = b"".join(iter(lambda: connection.recv(65536), b""))
            finally:
                connection.close()
        except OSError:
            return None
        if not reply:
            return None
        answer: dict[str, Any] = fastjson.loads(reply.decode())
        if "error" in answer:
            raise SimulatedAnkaError(answer["error"], answer["code"])
        return answer

    def _wait_for_end(self, boot_id: str | None) -> None:
        """Wait for the end of a daemon that no longer listens and still has the lock."""
        deadline = time.monotonic() + END_TIMEOUT
        while boot_id is not None and self.boot_id() == boot_id and time.monotonic() < deadline:
            time.sleep(0.02)

    def _ensure(self, mac: SimulatedMac) -> None:
        with mac.store.lock():
            if running(self._home) is None:
                self._spawn()

    def _spawn(self) -> None:
        import select
        import subprocess

        record = os.path.join(self._home, "host.json")
        if os.path.exists(record):
            os.unlink(record)
        entry = os.path.join(os.path.dirname(__file__), "entry.py")
        lock = lock_file(self._home)
        ready, child_end = os.pipe()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with open(os.path.join(self._home, "host.log"), "ab") as log:
                subprocess.Popen(
                    [sys.executable, "-P", entry, "--host", self._home, str(lock), str(child_end)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock, child_end),
                    start_new_session=True,
                    cwd="/",
                )
            os.close(child_end)
            child_end = -1
            answered, _, _ = select.select([ready], [], [], START_TIMEOUT)
            if not answered or os.read(ready, 16) != b"ready":
                raise SimulatedAnkaError("the hypervisor did not start; see host.log in the Mac's directory", GENERIC)
        finally:
            for fd in (lock, ready, child_end):
                if fd >= 0:
                    os.close(fd)
