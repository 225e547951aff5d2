"""Runs one startup script to its end, whatever happens to the agent: `python runner.py DIRECTORY`.

In the directory are `job.json` (command, timeout, limit) and `script` (its standard input); the result is written to
`result.json` in one move. The agent hands down a locked file descriptor: as long as this process lives, the lock is
held, on every kind of Unix. Only the standard library, so that it starts fast and with any interpreter.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Any

GRACE_SECONDS = 2.0


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
        """What came until the stream's end, or until now when a grandchild keeps it open."""
        self._thread.join(seconds)
        return bytes(self._data).decode("utf-8", "replace")


def write(path: str, data: dict[str, Any]) -> None:
    with open(f"{path}.tmp", "w", encoding="utf-8") as file:
        json.dump(data, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.tmp", path)


def end(process: subprocess.Popen[bytes]) -> None:
    """End the command with all that it started here; what it started in the VM ends with its connection."""
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 30.0)):
        try:
            os.killpg(process.pid, number)
            process.wait(seconds)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def run(directory: str) -> dict[str, Any]:
    with open(os.path.join(directory, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    write(os.path.join(directory, "started.json"), {"pid": os.getpid(), "at": time.time()})
    try:
        with open(os.path.join(directory, "script"), "rb") as script:
            # It may hold secrets: what is read from an open file need not stay on the disk.
            os.unlink(script.name)
            process = subprocess.Popen(  # noqa: S603 - the command is the agent's own
                job["command"], stdin=script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
            )
    except OSError as error:
        return {"return_code": 127, "errors": [f"{job['command'][0]}: {error.strerror}"]}
    # Popen was asked for pipes; the checker does not know.
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
        # Told to end: the VM is gone, nobody wants the result.
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
