"""One running VM inside the hypervisor daemon: its listening ports, its processes, its SSH connections."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from anka_sim.mac import guest, guest_root, sandbox
from anka_sim.mac.errors import CONNECTION_LOST, GENERIC, SimulatedAnkaError
from anka_sim.mac.hypervisor import PORT_SPAN

SSH_PORT = 22
# How long a graceful stop lets guest processes end by themselves.
GRACE = 1.0


@dataclass(frozen=True)
class Boot:
    """What a running VM needs of the daemon that runs it: the Mac's directory, the mark of its processes and the id of
    this boot; `spawn` runs a coroutine in the background, `serve_ssh` speaks SSH on a connection to a VM."""

    home: str
    mark: str
    id: str
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    serve_ssh: Callable[[RunningVM, socket.socket], Coroutine[Any, Any, None]]


class RunningVM:
    """Everything of a VM that exists only while it runs. `forward`, then `open`; `halt` ends it."""

    def __init__(self, boot: Boot, config: dict[str, Any]) -> None:
        self.boot = boot
        self.record: dict[str, Any] = {}
        self.halted = False
        self._config = config
        self._listeners: list[tuple[socket.socket, int]] = []
        self._processes: set[asyncio.subprocess.Process] = set()
        self._connections: set[Any] = set()
        self._used = False

    @property
    def root(self) -> str:
        return sandbox.root(self.boot.home, self.record["uuid"])

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
                    raise SimulatedAnkaError(
                        f"cannot listen on {address}:{port} for rule {rule['name']}: {error.strerror}"
                    ) from error
                continue
            listener.setblocking(False)
            self._listeners.append((listener, int(rule["guest_port"])))
            return port
        if wanted:
            raise SimulatedAnkaError(f"port {wanted} of rule {rule['name']} is already in use on the host", GENERIC)
        raise SimulatedAnkaError(f"no free host port for rule {rule['name']}", GENERIC)

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
            guest.sweep(self.boot.mark, uuid=self.record["uuid"])

    @property
    def has_own_root(self) -> bool:
        """Whether its processes see its files as their root directory."""
        return bool(self._config["own_root"]) and guest_root.is_possible(self.boot.home, self.root)

    @functools.cached_property
    def _mounts(self) -> list[guest_root.Mount]:
        return guest_root.prepare(self.boot.home, self.root)

    def environment(self, **extra: Any) -> dict[str, str]:
        own_root = self.has_own_root
        return guest.environment(
            self.boot.home, self.record, self.boot.id, config=self._config, own_root=own_root, **extra
        )

    async def spawn(
        self,
        argv: list[str],
        *,
        env: dict[str, str],
        cwd: str,
        prepare: Callable[[], None] | None = None,
        **streams: Any,
    ) -> asyncio.subprocess.Process:
        """Start a process of this VM in its own session; it dies with the VM. `prepare` runs in the child."""
        steps = [prepare] if prepare else []
        if self.has_own_root:
            inside = cwd[len(self.root) :] or "/"
            name = self.record["name"][:63]
            steps.append(guest_root.entering(self.root, self._mounts, hostname=name, cwd=inside))
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=(lambda: [step() for step in steps]) if steps else None,
            **streams,
        )
        self._used = True
        self._processes.add(process)
        if self.halted:
            guest.end_group(process.pid)
        return process

    async def wait_process(self, process: asyncio.subprocess.Process) -> int:
        """Wait for the end of a process; returns its exit status, or minus its signal."""
        try:
            return await process.wait()
        finally:
            self._processes.discard(process)

    async def run(self, request: dict[str, Any], fds: list[int], connection: socket.socket) -> int:
        """`anka run`: the command gets the caller's own file descriptors, and SIGHUP when the caller disconnects."""
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
            self.boot.spawn(self._reap(process))
            return process.pid
        status = await self._run_attached(process, connection)
        if self.halted:
            return CONNECTION_LOST
        return 128 - status if status < 0 else status

    async def _reap(self, process: asyncio.subprocess.Process) -> None:
        await self.wait_process(process)

    async def _run_attached(self, process: asyncio.subprocess.Process, connection: socket.socket) -> int:
        closed = asyncio.ensure_future(_wait_closed(connection))
        ended = asyncio.ensure_future(self.wait_process(process))
        await asyncio.wait({closed, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            guest.end_group(process.pid, signal.SIGHUP)
        closed.cancel()
        return await ended

    def _accept(self, listener: socket.socket, guest_port: int) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection, _ = listener.accept()
            if guest_port == SSH_PORT:
                self.boot.spawn(self.boot.serve_ssh(self, connection))
            else:
                connection.close()

    def add_connection(self, connection: Any) -> None:
        self._connections.add(connection)

    def remove_connection(self, connection: Any) -> None:
        self._connections.discard(connection)


def _is_directory(path: str) -> bool:
    return os.path.isdir(path)


async def _wait_closed(connection: socket.socket) -> None:
    """Return when the other side has closed the connection."""
    with contextlib.suppress(OSError):
        while await asyncio.get_running_loop().sock_recv(connection, 1):
            pass
