"""The hypervisor daemon of one simulated Mac: forwards ports, serves SSH, runs commands in VMs.

It is started by `anka start`, lives while VMs run (and a little longer), and is the Mac's uptime: when it has ended,
every VM is stopped. It sleeps until a client connects.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import tempfile
from typing import Any

from anka_sim.mac import guest, hypervisor, sandbox
from anka_sim.mac.core import SimulatedMac
from anka_sim.mac.daemon import HEADER
from anka_sim.mac.errors import GENERIC, SimulatedAnkaError
from anka_sim.mac.running import Boot, RunningVM
from anka_sim.mac.store import FileStore, write_json

logger = logging.getLogger("anka_sim.mac.host")
# sun_path is 104 bytes on macOS, 108 on Linux.
SOCKET_PATH_LIMIT = 100
# A daemon was started for a VM that is about to start: it waits at least this long for it.
FIRST_REQUEST_SECONDS = 10.0
# How often to see whether the Mac's directory was deleted under the daemon.
HOME_CHECK_SECONDS = 15.0


class Host:
    """The state of the daemon: which VMs run, and its background tasks."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.store = FileStore(home)
        self.mark = os.path.realpath(home)
        self.boot_id = f"{self.mark}:{os.urandom(6).hex()}"
        self.boot = Boot(home, self.mark, self.boot_id, self.spawn, _serve_ssh)
        self.vms: dict[str, RunningVM] = {}
        self.done = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._linger: asyncio.TimerHandle | None = None
        self._power: dict[str, asyncio.Lock] = {}

    def mac(self) -> SimulatedMac:
        """A fresh view: the configuration may change while the daemon runs."""
        return SimulatedMac(self.store, _Inside(self))

    def spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def serve(self, ready: int) -> None:
        """Serve until shutdown, or until nothing has run for the linger time."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.done.set)
        guest.sweep(self.mark, boot_id=self.boot_id)
        guest.write_tools(self.home)
        listener, path = _control_socket(self.home)
        record = {"boot_id": self.boot_id, "pid": os.getpid(), "socket": path}
        write_json(os.path.join(self.home, "host.json"), record)
        os.write(ready, b"ready")
        os.close(ready)
        accepting = loop.create_task(self._accept(listener))
        self._rest(at_least=FIRST_REQUEST_SECONDS)
        self._check_home()
        await self.done.wait()
        accepting.cancel()
        listener.close()
        _remove_socket(self.home, path)
        for vm in list(self.vms.values()):
            await vm.halt(force=True)

    def _rest(self, at_least: float = 0.0) -> None:
        """When nothing runs, end after the linger time unless a VM starts before."""
        if self._linger:
            self._linger.cancel()
            self._linger = None
        if not self.vms:
            seconds = max(float(self.store.config()["linger_seconds"]), at_least)
            self._linger = asyncio.get_running_loop().call_later(seconds, self.done.set)

    def _check_home(self) -> None:
        if os.path.isdir(self.home):
            asyncio.get_running_loop().call_later(HOME_CHECK_SECONDS, self._check_home)
        else:
            self.done.set()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(listener)
            self.spawn(self._answer(connection))

    async def _answer(self, connection: socket.socket) -> None:
        fds: list[int] = []
        try:
            request = await _receive(connection, fds)
            if request is None:
                return
            try:
                answer = await self._dispatch(request, fds, connection)
            except SimulatedAnkaError as error:
                answer = {"error": error.message, "code": error.code}
            except OSError as error:
                logger.exception("request failed")
                answer = {"error": str(error), "code": GENERIC}
            with contextlib.suppress(OSError):
                await asyncio.get_running_loop().sock_sendall(connection, json.dumps(answer).encode())
        finally:
            for fd in fds:
                os.close(fd)
            connection.close()

    async def _dispatch(self, request: dict[str, Any], fds: list[int], connection: socket.socket) -> dict[str, Any]:
        if request["op"] == "shutdown":
            self.done.set()
            return {}
        uuid = request["uuid"]
        if request["op"] in ("start", "halt"):
            # A start that comes while the VM is going down waits for that.
            async with self._power.setdefault(uuid, asyncio.Lock()):
                return await self._switch(request)
        vm = self.vms.get(uuid)
        if vm is None:
            raise SimulatedAnkaError(f"{uuid}: VM is not running")
        return {"exit": await vm.run(request, fds, connection)}

    async def _switch(self, request: dict[str, Any]) -> dict[str, Any]:
        uuid = request["uuid"]
        if request["op"] == "start":
            return {"vm": self.start(uuid)}
        vm = self.vms.pop(uuid, None)
        if vm is not None:
            await vm.halt(force=request["force"])
        hypervisor.power_off(self.mac(), uuid, request["status"])
        self._rest()
        return {}

    def start(self, uuid: str) -> dict[str, Any]:
        """Open the VM's ports and commit it as running; on any failure nothing stays open."""
        mac = self.mac()
        vm = RunningVM(self.boot, mac.config)
        try:
            record = hypervisor.power_on(mac, uuid, boot_id=self.boot_id, pid=os.getpid(), forward=vm.forward)
        except BaseException:
            vm.close()
            raise
        if uuid in self.vms:
            vm.close()
            return record
        sandbox.make(sandbox.root(self.home, uuid))
        vm.open(record)
        self.vms[uuid] = vm
        self._rest()
        return record


class _Inside:
    """The daemon's own view of itself, for the core that runs inside it."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def boot_id(self) -> str | None:
        return self._host.boot_id

    def start(self, mac: SimulatedMac, uuid: str) -> dict[str, Any]:
        return self._host.start(uuid)

    def halt(self, mac: SimulatedMac, uuid: str, status: str, *, force: bool) -> None:
        hypervisor.power_off(mac, uuid, status)

    def run(self, mac: SimulatedMac, uuid: str, command: dict[str, Any], fds: list[int]) -> int:
        raise SimulatedAnkaError("commands run through the daemon's socket")


async def _serve_ssh(vm: RunningVM, connection: socket.socket) -> None:
    # Half a second of imports, so only when a client really connects.
    from anka_sim.mac import ssh

    await ssh.serve(vm, connection)


def _control_socket(home: str) -> tuple[socket.socket, str]:
    path = os.path.join(home, "host.sock")
    if len(path.encode()) > SOCKET_PATH_LIMIT:
        path = os.path.join(tempfile.mkdtemp(prefix="anka-"), "host.sock")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(128)
    return listener, path


def _remove_socket(home: str, path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
        if os.path.dirname(path) != home:
            os.rmdir(os.path.dirname(path))


async def _receive(connection: socket.socket, fds: list[int]) -> dict[str, Any] | None:
    """One request, with the file descriptors that came along; None when the other side has closed."""
    loop = asyncio.get_running_loop()
    connection.setblocking(False)
    readable = loop.create_future()
    loop.add_reader(connection, lambda: None if readable.done() else readable.set_result(None))
    try:
        await readable
    finally:
        loop.remove_reader(connection)
    header, received, _, _ = socket.recv_fds(connection, HEADER.size, 3)
    fds.extend(received)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    body = bytearray()
    while len(body) < length:
        chunk = await loop.sock_recv(connection, min(length - len(body), 1 << 20))
        if not chunk:
            return None
        body += chunk
    request: dict[str, Any] = json.loads(body)
    return request


def main(home: str, lock: int, ready: int) -> None:
    """Run the daemon; `lock` is the inherited lock that makes it the only one, `ready` is written to once it serves."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    os.set_inheritable(lock, False)
    os.set_inheritable(ready, False)
    asyncio.run(_main(home, ready))


async def _main(home: str, ready: int) -> None:
    await Host(home).serve(ready)
