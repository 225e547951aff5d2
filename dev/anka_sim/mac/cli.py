"""The `anka` command: arguments in, JSON or text and an exit code out."""

from __future__ import annotations

import os
import sys
import time

from anka_sim.mac import fastjson, faults, output
from anka_sim.mac.context import CommandContext, Exit
from anka_sim.mac.errors import GENERIC, USAGE, SimulatedAnkaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    from anka_sim.mac.core import SimulatedMac
    from anka_sim.mac.output import Reply

# Command: the module that has it. A module is imported only when one of its commands runs.
COMMANDS = {
    **dict.fromkeys(("list", "show", "describe", "version", "license", "config"), "commands.inspect"),
    **dict.fromkeys(("clone", "start", "stop", "suspend", "reboot", "delete", "create"), "commands.life"),
    **dict.fromkeys(("run", "cp"), "commands.guests"),
    **dict.fromkeys(("usb", "attach", "detach", "mount", "unmount", "log", "view"), "commands.devices"),
    **dict.fromkeys(("registry", "pull", "push"), "commands.registries"),
    "modify": "commands.modify",
}
USAGE_TEXT = "usage: anka [-j|--machine-readable] <command> [options]\n\ncommands:\n" + "\n".join(
    f"  {name}" for name in sorted(COMMANDS)
)


def execute(mac: SimulatedMac, argv: list[str], out: TextIO, err: TextIO) -> int:
    """Run one command line against a Mac; returns the exit code. Never raises for bad input."""
    machine, words = False, list(argv)
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-j", "--machine-readable"):
            machine = True
        elif option in ("-h", "--help"):
            words = []
        elif option == "--version":
            words = ["version"]
        elif option not in ("-d", "--debug", "-v", "--verbose"):
            return _fail(SimulatedAnkaError(f"unknown option {option}", USAGE), machine, out, err)
    if not words or words[0] == "help":
        out.write(USAGE_TEXT + "\n")
        return 0
    try:
        reply = _run(mac, words, machine, out, err)
    except Exit as result:
        return result.code
    except SimulatedAnkaError as error:
        return _fail(error, machine, out, err)
    except OSError as error:
        return _fail(
            SimulatedAnkaError(f"{words[0]}: {error.filename or ''} {error.strerror or error}".strip()),
            machine,
            out,
            err,
        )
    if machine:
        out.write(output.envelope(reply.body, 0, reply.message))
    elif text := output.human(reply):
        out.write(text + "\n")
    return 0


def _run(mac: SimulatedMac, words: list[str], machine: bool, out: TextIO, err: TextIO) -> Reply:
    name = words[0]
    if name not in COMMANDS:
        raise SimulatedAnkaError(f"{name}: unknown command; see anka --help", USAGE)
    fault = faults.take(mac.store, words)
    if fault and fault.get("when") != "after":
        _inject(fault, out)
    delay = mac.config["delays"]["command"]
    if delay:
        mac.sleep(delay)
    module = __import__(f"anka_sim.mac.{COMMANDS[name]}", fromlist=["TABLE"])
    function: Callable[[CommandContext, list[str]], Reply] = module.TABLE[name]
    reply = function(CommandContext(mac, machine, out, err), words[1:])
    if fault and fault.get("when") == "after":
        _inject(fault, out)
    return reply


def _inject(fault: dict[str, Any], out: TextIO) -> None:
    code = fault.get("code", GENERIC)
    message = fault.get("message", "simulated fault")
    if fault["action"] == "hang":
        time.sleep(fault.get("seconds", 86400))
        return
    if fault["action"] == "garbage":
        out.write(message)
        raise Exit(code)
    raise SimulatedAnkaError(message, code)


def _fail(error: SimulatedAnkaError, machine: bool, out: TextIO, err: TextIO) -> int:
    if machine:
        out.write(output.envelope({}, error.code, error.message))
    else:
        err.write(f"anka: {error.message}\n")
    return error.code


def _record(home: str, argv: list[str], code: int, began: float) -> None:
    """One line for each command, appended in one write so that parallel commands do not mix."""
    entry = {
        "ts": round(began, 3),
        "argv": argv,
        "code": code,
        "ms": round((time.time() - began) * 1000, 1),
        "pid": os.getpid(),
    }
    fd = os.open(os.path.join(home, "commands.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.write(fd, (fastjson.dumps(entry) + "\n").encode())
    os.close(fd)


def main(argv: list[str]) -> int:
    """The command as a process: the Mac is the directory in ANKA_SIM_HOME."""
    from anka_sim.mac.core import SimulatedMac
    from anka_sim.mac.daemon import DaemonHypervisor
    from anka_sim.mac.store import FileStore

    began = time.time()
    home = os.environ.get("ANKA_SIM_HOME", "")
    try:
        if not home:
            raise SimulatedAnkaError("ANKA_SIM_HOME is not set; it names the directory of a simulated Mac")
        mac = SimulatedMac(FileStore(home), DaemonHypervisor(home))
    except SimulatedAnkaError as error:
        code = _fail(error, argv[:1] in (["-j"], ["--machine-readable"]), sys.stdout, sys.stderr)
        _flush()
        return code
    try:
        code = execute(mac, argv, sys.stdout, sys.stderr)
        _flush()
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 141
    _record(mac.store.path or home, argv, code, began)
    return code


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
