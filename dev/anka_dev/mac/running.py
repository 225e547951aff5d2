"""One running VM inside the hypervisor daemon: its listening ports, its processes, its SSH connections."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

from anka_dev.mac import guest, sandbox
from anka_dev.mac.errors import CONNECTION_LOST, GENERIC, AnkaError
from anka_dev.mac.hypervisor import PORT_SPAN

if TYPE_CHECKING:
    from anka_dev.mac.host import Host

SSH_PORT = 22
# How long a graceful stop lets guest processes end by themselves.
GRACE = 1.0


class RunningVM:
    """Everything of a VM that exists only while it runs. `forward`, then `open`; `halt` ends it."""

    def __init__(self, host: Host, config: dict[str, Any]) -> None:
        self.host = host
        self.record: dict[str, Any] = {}
        self.halted = False
        self._config = config
        self._listeners: list[tuple[socket.socket, int]] = []
        self._processes: set[asyncio.subprocess.Process] = set()
        self._connections: set[Any] = set()
        self._used = False

    @property
    def root(self) -> str:
        return sandbox.root(self.host.home, self.record["uuid"])

    def forward(self, rule: dict[str, Any]) -> int:
        """Listen on the host for a rule: its fixed port, or the first that is free counting up. Binding decides."""
        address = rule["host_ip"] or self._config["host_ip"]
        wanted = int(rule["host_port"])
        first = int(self._config["first_port"])
        for port in [wanted] if wanted else range(first, first + PORT_SPAN):
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((address, port))
                listener.listen(64)
            except OSError as error:
                listener.close()
                if error.errno != errno.EADDRINUSE:
                    raise AnkaError(
                        f"cannot listen on {address}:{port} for rule {rule['name']}: {error.strerror}"
                    ) from error
                continue
            listener.setblocking(False)
            self._listeners.append((listener, int(rule["guest_port"])))
            return port
        if wanted:
            raise AnkaError(f"port {wanted} of rule {rule['name']} is already in use on the host", GENERIC)
        raise AnkaError(f"no free host port for rule {rule['name']}", GENERIC)

    def open(self, record: dict[str, Any]) -> None:
        """Begin to accept connections for the committed VM."""
        self.record = record
        loop = asyncio.get_running_loop()
        for listener, guest_port in self._listeners:
            loop.add_reader(listener, self._accept, listener, guest_port)

    def close(self) -> None:
        """Stop listening."""
        loop = asyncio.get_running_loop()
        for listener, _ in self._listeners:
            loop.remove_reader(listener)
            listener.close()
        self._listeners.clear()

    async def halt(self, *, force: bool) -> None:
        """Close the ports and connections and end every process."""
        self.halted = True
        self.close()
        if self._processes and not force:
            for process in list(self._processes):
                guest.end_group(process.pid, signal.SIGTERM)
            waits = [asyncio.ensure_future(process.wait()) for process in self._processes]
            await asyncio.wait(waits, timeout=GRACE)
        for process in list(self._processes):
            guest.end_group(process.pid)
        for connection in list(self._connections):
            connection.abort()
        if self._used:
            guest.sweep(self.host.mark, uuid=self.record["uuid"])

    def environment(self, **extra: Any) -> dict[str, str]:
        return guest.environment(self.host.home, self.record, self.host.boot_id, **extra)

    async def spawn(
        self, argv: list[str], *, env: dict[str, str], cwd: str, **streams: Any
    ) -> asyncio.subprocess.Process:
        """Start a process of this VM in its own session; it dies with the VM."""
        process = await asyncio.create_subprocess_exec(*argv, env=env, cwd=cwd, start_new_session=True, **streams)
        self._used = True
        self._processes.add(process)
        if self.halted:
            guest.end_group(process.pid)
        return process

    async def ended(self, process: asyncio.subprocess.Process) -> int:
        """The process's exit status, or minus its signal."""
        try:
            return await process.wait()
        finally:
            self._processes.discard(process)

    async def run(self, request: dict[str, Any], fds: list[int], connection: socket.socket) -> int:
        """`anka run`: the command gets the caller's own file descriptors; it is hung up when the caller goes away."""
        env = self.environment(inherit=request["inherit"], override=request["override"])
        cwd = sandbox.locate(self.root, request["workdir"] or "~")
        if not _is_directory(cwd):
            os.write(fds[2], f"anka: run: {request['workdir']}: no such directory in the VM\n".encode())
            return 1
        try:
            process = await self.spawn(request["argv"], env=env, cwd=cwd, stdin=fds[0], stdout=fds[1], stderr=fds[2])
        except (FileNotFoundError, PermissionError) as error:
            os.write(fds[2], f"anka: run: {request['argv'][0]}: {error.strerror}\n".encode())
            return 127 if isinstance(error, FileNotFoundError) else 126
        # Our copies must not keep the caller's pipes open.
        while fds:
            os.close(fds.pop())
        if request["background"]:
            self.host.spawn(self._reap(process))
            return process.pid
        status = await self._attended(process, connection)
        if self.halted:
            return CONNECTION_LOST
        return 128 - status if status < 0 else status

    async def _reap(self, process: asyncio.subprocess.Process) -> None:
        await self.ended(process)

    async def _attended(self, process: asyncio.subprocess.Process, connection: socket.socket) -> int:
        gone = asyncio.ensure_future(_closed(connection))
        ended = asyncio.ensure_future(self.ended(process))
        await asyncio.wait({gone, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            guest.end_group(process.pid, signal.SIGHUP)
        gone.cancel()
        return await ended

    def _accept(self, listener: socket.socket, guest_port: int) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection, _ = listener.accept()
            if guest_port == SSH_PORT:
                self.host.spawn(self._ssh(connection))
            else:
                connection.close()

    async def _ssh(self, connection: socket.socket) -> None:
        # Half a second of imports, so only when somebody really connects.
        from anka_dev.mac import ssh

        await ssh.serve(self, connection)

    def connected(self, connection: Any) -> None:
        self._connections.add(connection)

    def disconnected(self, connection: Any) -> None:
        self._connections.discard(connection)


def _is_directory(path: str) -> bool:
    return os.path.isdir(path)


async def _closed(connection: socket.socket) -> None:
    """Returns when the other side has closed the connection."""
    with contextlib.suppress(OSError):
        while await asyncio.get_running_loop().sock_recv(connection, 1):
            pass
