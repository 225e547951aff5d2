"""Commands that reach into a running VM: run; and `cp`, in `copying.py`."""

from __future__ import annotations

import os
import time

from anka_sim.mac.commands import copying
from anka_sim.mac.context import Exit
from anka_sim.mac.errors import USAGE, SimulatedAnkaError
from anka_sim.mac.options import parse
from anka_sim.mac.output import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from anka_sim.mac.context import CommandContext

DEFAULT_NETWORK_WAIT = 60


def run(context: CommandContext, args: list[str]) -> Reply:
    """Run a command in the VM on our own stdin, stdout and stderr; its exit code becomes ours, 125 if the VM goes."""
    options = parse(
        "run",
        args,
        "n,no-volume",
        "v,volume,volumes-from=",
        "D,w,workdir=",
        "E,inherit-env,env",
        "e=",
        "f,env-file=",
        "q,Q,quiet",
        "b,background",
        "N,wait-network",
        "T,wait-time",
        "s,wait-timeout=",
        intermixed=False,
    )
    if len(options.args) < 2:
        raise SimulatedAnkaError("run: expected VM COMMAND, got: " + (" ".join(options.args) or "nothing"), USAGE)
    ref, *argv = options.args
    mac = context.mac
    override: dict[str, str] = {}
    if path := options.value("env-file"):
        with open(path, encoding="utf-8") as file:
            override.update(_pair(line.strip()) for line in file if line.strip() and not line.startswith("#"))
    override.update(_pair(text) for text in options.values("e"))
    vm = mac.start(ref)
    if options.flag("wait-network"):
        _wait_for_network(vm["network_at"], options.integer("wait-timeout") or DEFAULT_NETWORK_WAIT)
    context.out.flush()
    command = {
        "argv": argv,
        "workdir": options.value("workdir") or "",
        "inherit": dict(os.environ) if options.flag("inherit-env") else {},
        "override": override,
        "background": options.flag("background"),
    }
    if options.flag("quiet"):
        with open(os.devnull, "wb") as null:
            code = mac.hypervisor.run(mac, vm["uuid"], command, [0, null.fileno(), 2])
    else:
        code = mac.hypervisor.run(mac, vm["uuid"], command, [0, 1, 2])
    if options.flag("background"):
        return Reply(code)
    raise Exit(code)


def _pair(text: str) -> tuple[str, str]:
    name, given, value = text.partition("=")
    # A bare name passes the host's value on.
    return name, value if given else os.environ.get(name, "")


def _wait_for_network(network_at: float, limit: int) -> None:
    left = network_at - time.time()
    if left > limit:
        time.sleep(limit)
        raise SimulatedAnkaError(f"run: the VM has no network after {limit} seconds")
    if left > 0:
        time.sleep(left)


TABLE = {"run": run, "cp": copying.cp}
