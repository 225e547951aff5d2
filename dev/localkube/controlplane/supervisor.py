"""Runs one command and ends it when its own standard input is closed. Standard library only; run as a script.

WHY a process of its own: a control plane must not outlive the process that started it, even one that dies by
``kill -9`` and so can clean up nothing. The kernel closes the pipe whatever the cause of death, on Linux and macOS
alike; Linux's PR_SET_PDEATHSIG does not exist on macOS, and fires when the starting *thread* ends.

    supervisor.py GRACE_SECONDS COMMAND [ARGUMENT...]

Writes the command's pid as one line to standard output, or ``error: ...``. When input closes it sends SIGTERM, then
SIGKILL after the grace. Exits with the command's code, or 128 + the signal that ended it.
"""

import os
import signal
import subprocess
import sys
import threading


def _stop_at_end_of_input(child: "subprocess.Popen[bytes]", grace: float) -> None:
    while os.read(0, 4096):
        pass
    child.terminate()
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        child.kill()


def main(arguments: list[str]) -> int:
    """Supervise ``arguments[1:]`` with a grace of ``arguments[0]`` seconds."""
    # The parent decides by closing the pipe: a Ctrl-C or a logout must not end the supervisor early.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        child = subprocess.Popen(
            arguments[1:], stdin=subprocess.DEVNULL, stdout=2, restore_signals=True, preexec_fn=_default_signals
        )
    except OSError as error:
        os.write(1, f"error: {error.strerror}: {arguments[1]}\n".encode())
        return 127
    os.write(1, f"{child.pid}\n".encode())
    threading.Thread(target=_stop_at_end_of_input, args=(child, float(arguments[0])), daemon=True).start()
    code = child.wait()
    return 128 - code if code < 0 else code


def _default_signals() -> None:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    # os._exit: the thread may sit in read(), and there is nothing to flush.
    os._exit(main(sys.argv[1:]))
