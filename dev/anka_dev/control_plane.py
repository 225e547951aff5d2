"""``anka-dev control-plane``."""

from __future__ import annotations

import argparse
import signal
import tempfile
import threading
from pathlib import Path

from anka_dev.local_kubernetes import audit, environment
from anka_runtime.cli import Call, Command, from_arguments
from localkube.controlplane import choose
from localkube.controlplane.embedded import ControlPlane
from localkube.errors import DevError
from localkube.programs import binaries, versions
from localkube.progress import say_on_stderr

_CHECK_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser("build", help="make sure that the binaries are here, and print where")
    build.set_defaults(run=_build)
    helm = actions.add_parser("helm", help="make sure that helm is here, and print where")
    helm.set_defaults(run=_helm)
    checkers = actions.add_parser(
        "checkers", help="get the programs that check charts, conditions and workflows in tests"
    )
    checkers.add_argument("--all", action="store_true", help="also promtool: some 8 minutes and 120 MB, once")
    checkers.set_defaults(run=_checkers)
    serve = actions.add_parser("run", help="run one until Ctrl-C")
    serve.add_argument("--data", type=Path, metavar="DIR", help="its directory (default: a temporary one)")
    serve.add_argument("--keep", action="store_true", help="keep the data in DIR, and use what is there")
    serve.add_argument("--audit", action="store_true", help="write an audit log of our objects and of Leases")
    serve.set_defaults(run=_run)


def _build(_options: argparse.Namespace) -> int:
    env = environment()
    if not choose.needs_binaries(env):
        say_on_stderr("no control plane is built: another cluster is named by CLUSTER or ANKA_KUBECONFIG")
        return 0
    found = binaries.ensure(env, say_on_stderr)
    for path in (found.etcd, found.api_server, found.controller_manager):
        print(path)
    return 0


def _helm(_options: argparse.Namespace) -> int:
    print(binaries.ensure_helm(environment(), say_on_stderr))
    return 0


def _checkers(options: argparse.Namespace) -> int:
    """A program that cannot be built is reported and is no failure: the tests that need it are skipped."""
    for name in versions.CHECKERS:
        if name in versions.LARGE_CHECKERS and not options.all:
            continue
        try:
            print(binaries.ensure_checker(name, environment(), say_on_stderr))
        except DevError as error:
            say_on_stderr(f"tests that need {name} will be skipped: {error}")
    return 0


def _run(options: argparse.Namespace) -> int:
    if options.data:
        return _serve(options.data, options)
    with tempfile.TemporaryDirectory(prefix="anka-control-plane-") as folder:
        return _serve(Path(folder), options)


def _serve(directory: Path, options: argparse.Namespace) -> int:
    stop = threading.Event()
    log = audit() if options.audit else None
    with ControlPlane.start(directory, environment(), keep_data=options.keep, audit=log) as plane:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        print(f"export KUBECONFIG={plane.kubeconfig}", flush=True)
        say_on_stderr(f"the Kubernetes API is ready at {plane.server}; Ctrl-C ends it")
        while not stop.wait(_CHECK_SECONDS):
            plane.check()
    return 0


def run(call: Call[argparse.Namespace]) -> int:
    return int(call.options.run(call.options))


COMMAND = Command("control-plane", "a Kubernetes API on this machine", from_arguments(add_arguments), run)
