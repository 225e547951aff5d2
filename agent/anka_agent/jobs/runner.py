"""Runs one command to its end, whatever happens to the agent: `python runner.py DIRECTORY`.

In the directory are `job.json` (command, timeout, limit) and `script` (its standard input); the result is written to
`result.json` in one move. The agent hands down a locked file descriptor: while this process lives, the lock is held,
on every kind of Unix. Only the standard library, so that it starts fast and with any interpreter.
"""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Any

GRACE_SECONDS = 2.0
_writes = itertools.count()


class Tail:
    """The last `limit` bytes of a stream."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._data = bytearray()
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    def _pump(self) -> None:
        while chunk := os.read(self._stream.fileno(), 65536):
            self._data += chunk
            if len(self._data) > self._limit:
                del self._data[: len(self._data) - self._limit]

    def text(self, seconds: float) -> str:
        """The output to the end of the stream, or so far if a grandchild keeps the stream open."""
        self._thread.join(seconds)
        return bytes(self._data).decode("utf-8", "replace")


def write(path: str, data: dict[str, Any]) -> None:
    """Replace the file as a whole. Each write has a temporary file of its own: two at once never share one.

    Its folder is ours alone, so that its name need not be a secret: one by chance costs as much as the write itself."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}-{next(_writes)}")
    # One that a killed process has left, if the Mac gives its id again, is written over.
    handle = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            # dumps: the encoder in C, which dump does not use.
            file.write(json.dumps(data))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def end(process: subprocess.Popen[bytes]) -> None:
    """End the command with all that it started here; its processes in the VM end with the connection."""
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 30.0)):
        # macOS refuses with EPERM where only zombies are left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def run(directory: str) -> dict[str, Any]:
    with open(os.path.join(directory, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    write(os.path.join(directory, "started.json"), {"pid": os.getpid(), "at": time.time()})
    try:
        with open(os.path.join(directory, "script"), "rb") as script:
            # It may hold secrets, and an open file can be read without a name on the disk.
            os.unlink(script.name)
            process = subprocess.Popen(  # noqa: S603 - the command is the agent's own
                job["command"], stdin=script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
            )
    except OSError as error:
        return {"return_code": 127, "errors": [f"{job['command'][0]}: {error.strerror}"]}
    except ValueError as error:
        # A word that no system call takes.
        return {"return_code": 127, "errors": [f"{job['command'][0]}: {error}"]}
    # Never with these arguments; for the type checker.
    if process.stdout is None or process.stderr is None:
        return {"return_code": 127, "errors": ["no pipes"]}
    stdout, stderr = Tail(process.stdout, job["limit"]), Tail(process.stderr, job["limit"])
    timed_out = False
    try:
        process.wait(job["timeout"])
    except subprocess.TimeoutExpired:
        timed_out = True
        end(process)
    except SystemExit:
        # Cancelled: the VM is about to be removed, so the result is not needed.
        end(process)
        raise
    return {
        "return_code": -1 if timed_out else process.returncode,
        "did_timeout": timed_out,
        "stdout": stdout.text(GRACE_SECONDS),
        "stderr": stderr.text(GRACE_SECONDS),
    }


def main(directory: str) -> None:
    # The agent may be stopped with its whole group; the script goes on.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    result = run(directory)
    write(os.path.join(directory, "result.json"), {**result, "finished_at": time.time()})


if __name__ == "__main__":
    main(sys.argv[1])
