"""Commands that reach into a running VM: run, cp."""

from __future__ import annotations

import os
import time

from anka_dev.mac import sandbox
from anka_dev.mac.cli import Exit
from anka_dev.mac.errors import USAGE, AnkaError
from anka_dev.mac.options import parse
from anka_dev.mac.output import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from anka_dev.mac.cli import Context

DEFAULT_NETWORK_WAIT = 60


def run(context: Context, args: list[str]) -> Reply:
    """Run a command in the VM on our own stdin, stdout and stderr; its exit code becomes ours, 125 if the VM goes."""
    options = parse(
        "run",
        args,
        "n,no-volume",
        "v,volume,volumes-from=",
        "D,w,workdir=",
        "E,inherit-env",
        "e,env=",
        "f,env-file=",
        "q,Q,quiet",
        "b,background",
        "N,wait-network",
        "T,wait-time",
        "s,wait-timeout=",
        intermixed=False,
    )
    if len(options.args) < 2:
        raise AnkaError("run: expected VM COMMAND, got: " + (" ".join(options.args) or "nothing"), USAGE)
    ref, *argv = options.args
    mac = context.mac
    override: dict[str, str] = {}
    if path := options.value("env-file"):
        with open(path, encoding="utf-8") as file:
            override.update(_pair(line.strip()) for line in file if line.strip() and not line.startswith("#"))
    override.update(_pair(text) for text in options.values("env"))
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
        raise AnkaError(f"run: the VM has no network after {limit} seconds")
    if left > 0:
        time.sleep(left)


def cp(context: Context, args: list[str]) -> Reply:
    """Copy files between the host and a VM: one side is `VM:PATH`."""
    options = parse("cp", args, "a,archive", "R,r,recursive", "p,preserve", "L", "f,force", "H", "P")
    if len(options.args) < 2:
        raise AnkaError("cp: expected SOURCE… DESTINATION", USAGE)
    *sources, destination = options.args
    into = _guest_path(context, destination)
    origins = [_guest_path(context, source) for source in sources]
    if (into is None) == (origins[0] is None) or any((origin is None) != (origins[0] is None) for origin in origins):
        raise AnkaError("cp: one side must be VM:PATH, the other a path on the host", USAGE)
    for source, origin in zip(sources, origins, strict=True):
        _copy(origin or source, into or destination, follow=options.flag("L"))
    return Reply()


def _guest_path(context: Context, text: str) -> str | None:
    ref, colon, path = text.partition(":")
    if not colon or "/" in ref or os.path.exists(text):
        return None
    vm = context.mac.start(ref)
    return sandbox.locate(sandbox.root(context.mac.store.path or "", vm["uuid"]), path or "~")


def _copy(source: str, target: str, *, follow: bool) -> None:
    import shutil

    if os.path.isdir(target):
        target = os.path.join(target, os.path.basename(os.path.normpath(source)))
    else:
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    if os.path.isdir(source):
        shutil.copytree(source, target, symlinks=not follow, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target, follow_symlinks=True)


TABLE = {"run": run, "cp": cp}
