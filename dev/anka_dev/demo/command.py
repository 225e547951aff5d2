"""``anka-dev demo``."""

from __future__ import annotations

import argparse
import shutil
import signal
import threading
from pathlib import Path

from anka_dev.demo import check
from anka_dev.demo.printer import Printer
from anka_dev.demo.steps import Demo
from anka_dev.local_kubernetes import environment
from anka_runtime.cli import Call, Command, from_arguments
from localkube.controlplane import ControlPlane, open_cluster
from localkube.controlplane.process import GRACE_SECONDS
from localkube.errors import DevError
from localkube.filelock import hold_lock

_DIRECTORY = Path("build/demo")
_CHECK_SECONDS = 1.0
_TOKEN_RENEWAL_SECONDS = 86_400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="run the commands that it prints, then exit 0 or 1")
    parser.add_argument("--auth", action="store_true", help="the REST API answers only who logs in")
    parser.add_argument("--directory", type=Path, default=_DIRECTORY, metavar="DIR", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=8090, help="of the REST API, if it is free (default: %(default)s)")


def run(call: Call[argparse.Namespace]) -> int:
    """Bring the cloud up, print how to reach it, and stay until Ctrl-C; with --check run these commands instead."""
    options = call.options
    for program in ("ssh", "curl", *(["openssl"] if options.auth else [])):
        if shutil.which(program) is None:
            raise DevError(f"the demo needs {program} in PATH: install it and run this again")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    directory: Path = options.directory.absolute()
    with hold_lock(
        directory.with_name(f"{directory.name}.lock"),
        timeout=GRACE_SECONDS,
        on_wait=lambda _pid, _seconds: None,
        busy=f"a demo runs in {directory} already (process {{pid}}): stop it, or choose another --directory",
    ):
        shutil.rmtree(directory, ignore_errors=True)
        return _run(directory, options, stop)


def _run(directory: Path, options: argparse.Namespace, stop: threading.Event) -> int:
    printer = Printer()
    printer.say("control plane: kube-apiserver, etcd, kube-controller-manager")
    with open_cluster(directory / "control-plane", environment(), say=printer.say) as cluster:
        printer.say(f"control plane: ready at {cluster.server}")
        with Demo(cluster, directory, printer, stop, closed=options.auth) as demo:
            demo.bring_up(options.port)
            demo.apply_examples()
            if options.check:
                return check.run(demo)
            demo.print_commands()
            elapsed = 0.0
            while not stop.wait(_CHECK_SECONDS):
                demo.cloud.check()
                if isinstance(cluster, ControlPlane):
                    cluster.check()
                elapsed += _CHECK_SECONDS
                if elapsed >= _TOKEN_RENEWAL_SECONDS:
                    demo.cloud.renew_tokens()
                    elapsed = 0.0
            printer.say("stopping")
    return 0


COMMAND = Command("demo", "a build cloud with two simulated Macs", from_arguments(add_arguments), run)
