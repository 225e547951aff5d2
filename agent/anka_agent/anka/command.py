"""One call of `anka --machine-readable`: start it, wait within a limit, read its answer."""

import asyncio
import contextlib
import errno
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from anka_agent import metrics
from anka_agent.anka import leftovers
from anka_agent.anka.arguments import check_words
from anka_agent.anka.errors import (
    AnkaError,
    CommandTimeout,
    ConnectionLost,
    GarbageError,
    MissingCommand,
    UnusableArgument,
    from_answer,
)
from anka_runtime import programs

log = logging.getLogger(__name__)


MAX_OUTPUT = 8 * 1024 * 1024
"""Bytes of standard output that are read; a Mac with a thousand VMs lists them in far less than 1 MiB."""
LINE_BYTES = 64 * 1024
"""How much of an unfinished line is remembered, for who follows the output."""
LOOKS = frozenset({"list", "show", "version", "license", "usb", "registry list", "registry describe"})
"""Commands that change nothing and run every few seconds."""
GRACE_SECONDS = 2.0
"""Time between asking a command to end and killing it."""

TOO_LONG = frozenset({errno.E2BIG, errno.ENAMETOOLONG})
OnLine = Callable[[str], None]


class Anka:
    """Calls of one `anka` executable; `limit` of them run at a time. Those that change something are recorded."""

    def __init__(self, executable: str = "anka", *, limit: int = 6, record: leftovers.Leftovers | None = None) -> None:
        self.executable = executable
        self._record = record
        self._slots = asyncio.Semaphore(limit)

    async def call(
        self,
        *args: str,
        seconds: float,
        on_line: OnLine | None = None,
        env: Mapping[str, str] | None = None,
        exclusive: bool = True,
    ) -> Any:
        """Body of the answer, which must come within `seconds`; `on_line` gets each line of output as it arrives.

        `exclusive=False` is for calls that take minutes (pulls): they must not hold back the others.
        Raises AnkaError and its subclasses only. Cancelling kills the command.
        """
        command = command_name(args)
        async with self._slots if exclusive else contextlib.nullcontext():
            with _measure(command):
                output, errors, code = await self._finish(["--machine-readable", *args], command, seconds, on_line, env)
                return answer(output, errors, code, command)

    async def run(self, vm: str, *words: str, seconds: float) -> None:
        """`anka run`: these words as a command in the VM, which must succeed within `seconds`. It answers with the
        exit code and the output of the command itself, not with JSON. Raises AnkaError with the end of its output."""
        with _measure("run"):
            output, errors, code = await self._finish(["run", vm, *words], "run", seconds, None, None)
            if code:
                said = (errors or output).decode("utf-8", "replace")[-500:].strip()
                kind = ConnectionLost if code == ConnectionLost.CODE else AnkaError
                raise kind(said or f"ended with exit code {code}", code, command="run")

    async def _finish(
        self, args: Sequence[str], command: str, seconds: float, on_line: OnLine | None, env: Mapping[str, str] | None
    ) -> tuple[bytes, bytes, int]:
        """Standard output, standard error and exit code."""
        record = None if command in LOOKS else self._record
        async with record.record() if record is not None else contextlib.nullcontext() as lock:
            return await self._wait_for_end(await self._start(args, command, env, lock), command, seconds, on_line)

    async def _wait_for_end(
        self, process: asyncio.subprocess.Process, command: str, seconds: float, on_line: OnLine | None
    ) -> tuple[bytes, bytes, int]:
        output, errors = bytearray(), bytearray()
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(
                    _read(process.stdout, output, on_line), _read(process.stderr, errors, on_line), process.wait()
                )
        except TimeoutError:
            await _end(process)
            raise CommandTimeout(f"did not end within {seconds:g} s", command=command) from None
        except BaseException:
            await _end(process)
            raise
        return bytes(output), bytes(errors), process.returncode or 0

    async def _start(
        self, args: Sequence[str], command: str, env: Mapping[str, str] | None, lock: int | None
    ) -> asyncio.subprocess.Process:
        check_words(args, command)
        try:
            process = await asyncio.create_subprocess_exec(
                self.executable,
                *args,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **env} if env else None,
                # A group of its own: a hanging command is killed with all that it started.
                start_new_session=True,
                pass_fds=() if lock is None else (lock,),
            )
        except (FileNotFoundError, NotADirectoryError):
            raise MissingCommand(f"{self.executable}: no such command") from None
        except ValueError:
            # Not its words, so its environment, which may be secret.
            raise UnusableArgument("the VNC password has a NUL character", command=command) from None
        except OSError as error:
            if error.errno in TOO_LONG:
                raise UnusableArgument("the command line would be too long", command=command) from None
            raise MissingCommand(f"{self.executable} cannot be run: {error.strerror}") from None
        if lock is not None:
            leftovers.note(lock, process.pid, command)
        return process


@contextlib.contextmanager
def _measure(command: str) -> Iterator[None]:
    """Record its time and outcome in the metrics and the log; never its arguments, which may be secret."""
    began, outcome = time.monotonic(), "cancelled"
    try:
        yield
        outcome = "done"
    except AnkaError as error:
        outcome = type(error).__name__
        metrics.COMMAND_FAILURES.labels(command, outcome).inc()
        raise
    finally:
        seconds = time.monotonic() - began
        metrics.COMMAND_SECONDS.labels(command).observe(seconds)
        level = logging.DEBUG if command in LOOKS else logging.INFO
        log.log(level, "anka %s", command, extra={"outcome": outcome, "ms": round(seconds * 1000)})


async def _read(stream: asyncio.StreamReader | None, into: bytearray, on_line: OnLine | None) -> None:
    """The whole stream, or only its end if it is too long."""
    if stream is None:
        return
    rest = b""
    while chunk := await stream.read(65536):
        into += chunk
        if len(into) > MAX_OUTPUT:
            del into[: len(into) - MAX_OUTPUT]
        if on_line is not None:
            # Progress bars go back to the start of the line instead of to the next one.
            *lines, rest = (rest[-LINE_BYTES:] + chunk).replace(b"\r", b"\n").split(b"\n")
            for line in lines:
                if line.strip():
                    on_line(line.decode("utf-8", "replace"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the command and all that it started."""
    waiting = asyncio.ensure_future(process.wait())
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, None)):
        # Killed although the leader may have ended: a child that ignores SIGTERM must not outlive it.
        programs.signal_group(process.pid, number)
        await asyncio.wait([waiting], timeout=seconds)


def command_name(args: Sequence[str]) -> str:
    """The name of a command in messages and metrics, without its arguments: `start`, `registry pull`."""
    if not args or args[0] != "registry":
        return args[0] if args else ""
    rest = args[1:]
    while rest and rest[0].startswith("--"):
        rest = rest[2:]  # each option before its command has a value
    return " ".join(["registry", *rest[:1]])


def answer(output: bytes, errors: bytes, code: int, command: str) -> Any:
    """Body of the last line that is not empty (docs/reference/legacy-api.md#anka-output). Raises AnkaError."""
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    try:
        data = json.loads(lines[-1]) if lines else None
    except json.JSONDecodeError:
        data = None
    if not isinstance(data, dict) or "status" not in data:
        raise _garbage(lines, errors, code, command)
    message = str(data.get("message") or "")
    if data["status"] != "OK":
        own = data.get("code")
        raise from_answer(message, own if isinstance(own, int) and own else code or 1, command)
    if code:
        raise from_answer(message or f"answered OK, but ended with exit code {code}", code, command)
    return data.get("body")


def _garbage(lines: list[str], errors: bytes, code: int, command: str) -> AnkaError:
    said = " ".join(errors.decode("utf-8", "replace").split())
    excerpt = (said or " ".join(lines[-3:]))[-200:]
    if code < 0:
        what = f"was ended by signal {-code}"
    elif not lines:
        what = f"printed nothing and ended with exit code {code}"
    else:
        what = f"printed no JSON answer and ended with exit code {code}"
    return GarbageError(f"{what}: {excerpt}" if excerpt else what, code or 1, command=command)
