"""Runs programs of others: their output is read up to a limit, and they have a limited time."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import IO, Any

OUTPUT_BYTES = 1 << 20
"""Most bytes that are taken of standard output, and of standard error."""


class ProgramError(ValueError):
    """The program was ended: it took too long, or said too much; str() says which."""


def run(
    argv: Sequence[str], *, seconds: float, stdin: IO[bytes] | int = subprocess.DEVNULL, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run it to its end. Blocking. Raises OSError and ProgramError. `options`: of Popen."""
    with subprocess.Popen(  # noqa: S603 - callers name the program
        argv,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A group of its own: it is ended with all that it started.
        start_new_session=True,
        **options,
    ) as process:
        try:
            output, errors = _read(process, time.monotonic() + seconds)
        except BaseException as error:
            signal_group(process.pid, signal.SIGKILL)
            if isinstance(error, TimeoutError | subprocess.TimeoutExpired):
                raise ProgramError(f"it did not end within {seconds:g} s") from None
            raise
        return subprocess.CompletedProcess(argv, process.returncode, output, errors)


def signal_group(leader: int, number: signal.Signals) -> None:
    """Signal all processes of a group that was started as one, by the id of its leader; nothing if all have ended."""
    # macOS refuses with EPERM where only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _read(process: subprocess.Popen[bytes], until: float) -> tuple[bytes, bytes]:
    """Standard output and standard error, once the program has ended."""
    found: dict[str, bytearray] = {"output": bytearray(), "errors": bytearray()}
    with selectors.DefaultSelector() as selector:
        for name, stream in (("output", process.stdout), ("errors", process.stderr)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, name)
        while selector.get_map():
            ready = selector.select(max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                found[key.data] += chunk
                if len(found[key.data]) > OUTPUT_BYTES:
                    raise ProgramError(f"it printed more than {OUTPUT_BYTES >> 10} KiB")
                if not chunk:
                    selector.unregister(key.fileobj)
    process.wait(max(0.0, until - time.monotonic()))
    return bytes(found["output"]), bytes(found["errors"])
