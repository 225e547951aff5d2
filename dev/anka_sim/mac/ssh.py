"""SSH, SFTP and SCP into a running VM: real commands in its sandbox directory."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import functools
import logging
import os
import signal
import socket
import termios
from collections.abc import Callable, Sequence
from typing import Any

import asyncssh

from anka_sim.mac import guest, sandbox
from anka_sim.mac.files import replace_file
from anka_sim.mac.running import RunningVM

asyncssh.set_log_level(logging.ERROR)
LOGIN_TIMEOUT = 60
# What macOS generates: old clients know only RSA, some take ECDSA before Ed25519.
HOST_KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")


class GuestServer(asyncssh.SSHServer):
    """Lets `anka` and `admin` in: with their password, or with a key in the VM's ~/.ssh/authorized_keys."""

    def __init__(self, vm: RunningVM) -> None:
        self.vm = vm
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self.vm.add_connection(conn)
        if self.vm.halted:
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.vm.remove_connection(self._connection)

    def begin_auth(self, username: str) -> bool:
        keys = os.path.join(self.vm.root, sandbox.USER_HOME, ".ssh", "authorized_keys")
        if username in guest.USERS and self._connection and os.path.isfile(keys):
            # A file that sshd could not read must not disable passwords.
            with contextlib.suppress(ValueError, OSError):
                self._connection.set_authorized_keys(keys)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username in guest.USERS and password == guest.PASSWORD


class GuestFiles(asyncssh.SFTPServer):
    """SFTP that sees the sandbox as its file system and starts in the user's home."""

    def __init__(self, vm: RunningVM, chan: Any) -> None:
        super().__init__(chan)
        self._root = vm.root
        self._chan = chan

    def map_path(self, path: bytes) -> bytes:
        return os.fsencode(sandbox.locate(self._root, os.fsdecode(path)))

    def reverse_map_path(self, path: bytes) -> bytes:
        shown = os.fsdecode(path).removeprefix(self._root)
        return os.fsencode(shown or "/")

    def realpath(self, path: bytes) -> bytes:
        return self.reverse_map_path(self.map_path(path))

    def exit(self) -> None:
        # Without an exit status OpenSSH's scp says that it failed.
        if self._chan.get_subsystem() == "sftp":
            self._chan.exit(0)


async def serve(vm: RunningVM, connection: socket.socket) -> None:
    """Speak SSH on an accepted connection."""
    options = asyncssh.SSHServerConnectionOptions(
        options=_base(vm.boot.home),
        server_factory=functools.partial(GuestServer, vm),
        process_factory=functools.partial(_session, vm),
        sftp_factory=functools.partial(GuestFiles, vm),
    )
    with contextlib.suppress(asyncssh.Error, OSError):
        await asyncssh.run_server(connection, options=options)


@functools.lru_cache(maxsize=4)
def _base(home: str) -> asyncssh.SSHServerConnectionOptions:
    return asyncssh.SSHServerConnectionOptions(
        server_host_keys=[_host_key(home, kind) for kind in HOST_KEYS],
        allow_scp=True,
        line_editor=False,
        encoding=None,
        login_timeout=LOGIN_TIMEOUT,
        agent_forwarding=False,
    )


def _host_key(home: str, kind: str) -> asyncssh.SSHKey:
    """The Mac's VMs share their keys, created on first use: keys for each VM would cost more than the VM."""
    path = os.path.join(home, f"host_key_{kind}")
    if not os.path.exists(path):
        key = asyncssh.generate_private_key(kind, comment="simulated VM")
        replace_file(path, key.export_private_key(), 0o600)
    return asyncssh.read_private_key(path)


async def _session(vm: RunningVM, process: asyncssh.SSHServerProcess[bytes]) -> None:
    """A shell or a command, with or without a terminal."""
    env = vm.environment(override=_client_environment(process), user=process.get_extra_info("username"))
    argv = [guest.SHELL] if process.command is None else [guest.SHELL, "-c", process.command]
    home = os.path.join(vm.root, sandbox.USER_HOME)
    terminal = process.get_terminal_type()
    try:
        if terminal:
            await _with_terminal(vm, process, argv, dict(env, TERM=terminal), home)
        else:
            pipe = asyncio.subprocess.PIPE
            child = await vm.spawn(argv, env=env, cwd=home, stdin=pipe, stdout=pipe, stderr=pipe)
            await process.redirect(stdin=child.stdin)
            output = [_pass_on(child.stdout, process.stdout), _pass_on(child.stderr, process.stderr)]
            await _finish(vm, process, child, [asyncio.ensure_future(part) for part in output])
    except OSError as error:
        process.stderr.write(f"{error.strerror}\n".encode())
        process.exit(126)


async def _with_terminal(
    vm: RunningVM, process: asyncssh.SSHServerProcess[bytes], argv: list[str], env: dict[str, str], home: str
) -> None:
    controller, terminal = os.openpty()
    streams: dict[str, Any] = {"stdin": terminal, "stdout": terminal, "stderr": terminal}
    try:
        await process.redirect(stdin=os.dup(controller), stdout=controller)
        # After the redirection, which passes on a size of 0 from a client without a terminal of its own.
        width, height, _, _ = process.get_terminal_size()
        termios.tcsetwinsize(terminal, (height or 24, width or 80))
        child = await vm.spawn(argv, env=env, cwd=home, prepare=_take_terminal, **streams)
    finally:
        os.close(terminal)
    await _finish(vm, process, child)


def _take_terminal() -> None:
    """In the child: make the terminal on stdin the session's own, so that job control and Ctrl-C work."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


async def _pass_on(source: asyncio.StreamReader | None, sink: asyncssh.SSHWriter[bytes]) -> None:
    """Copy what the process writes, until it and its children have closed it or the client has disconnected."""
    with contextlib.suppress(asyncssh.Error, OSError):
        while source is not None and (chunk := await source.read(65536)):
            sink.write(chunk)
            await sink.drain()


async def _finish(
    vm: RunningVM,
    process: asyncssh.SSHServerProcess[bytes],
    child: asyncio.subprocess.Process,
    output: Sequence[asyncio.Future[None]] = (),
) -> None:
    """Send the exit status after all output; send SIGHUP to the process when the client disconnects."""
    waiting = asyncio.ensure_future(vm.wait_process(child))
    closed = asyncio.ensure_future(process.channel.wait_closed())
    await asyncio.wait({waiting, closed}, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        guest.end_group(child.pid, signal.SIGHUP)
    status = await waiting
    if output and not closed.done() and not vm.halted:
        # As sshd: what is in the pipes belongs to the session, however slowly the client reads it.
        everything = asyncio.ensure_future(asyncio.wait(output))
        await asyncio.wait({everything, closed}, return_when=asyncio.FIRST_COMPLETED)
    for part in output:
        part.cancel()
    if closed.done() or vm.halted:
        closed.cancel()
        return
    closed.cancel()
    with contextlib.suppress(asyncssh.Error, OSError):
        await process.stdout.drain()
        await process.stderr.drain()
    if status >= 0:
        process.exit(status)
    else:
        process.exit_with_signal(_signal_name(status))


def _signal_name(status: int) -> str:
    return signal.Signals(-status).name.removeprefix("SIG")


def _client_environment(process: asyncssh.SSHServerProcess[bytes]) -> dict[str, str]:
    """As sshd, only locale and our own variables may be set by the client."""
    accepted: Callable[[str], bool] = lambda name: name == "LANG" or name.startswith(("LC_", "ANKA_"))  # noqa: E731
    return {str(name): str(value) for name, value in process.env.items() if accepted(str(name))}
