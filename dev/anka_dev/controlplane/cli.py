"""``anka-dev control-plane``."""

import argparse
import os
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

from anka_dev.controlplane import binaries, choose, versions
from anka_dev.controlplane.embedded import ControlPlane, say_on_stderr
from anka_dev.errors import DevError

_CHECK_SECONDS = 1.0


def register(subparsers: Any) -> None:
    """Add ``control-plane`` with ``build``, ``helm``, ``judges`` and ``run``."""
    parser = subparsers.add_parser("control-plane", help="a Kubernetes API on this machine")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser("build", help="make sure that the binaries are here, and print where")
    build.set_defaults(run=_build)
    helm = actions.add_parser("helm", help="make sure that helm is here, and print where")
    helm.set_defaults(run=_helm)
    judges = actions.add_parser("judges", help="get what tests judge charts, conditions and workflows by, if possible")
    judges.add_argument("--all", action="store_true", help="also promtool: some 8 minutes and 120 MB, once")
    judges.set_defaults(run=_judges)
    run = actions.add_parser("run", help="run one until Ctrl-C")
    run.add_argument("--data", type=Path, metavar="DIR", help="its directory (default: a temporary one)")
    run.add_argument("--keep", action="store_true", help="keep the data in DIR, and use what is there")
    run.add_argument("--audit", action="store_true", help="write an audit log of our objects and of Leases")
    run.set_defaults(run=_run)


def _build(_options: argparse.Namespace) -> int:
    if not choose.needs_binaries(os.environ):
        say_on_stderr("no control plane is built: another cluster is named by CLUSTER or ANKA_KUBECONFIG")
        return 0
    found = binaries.ensure(os.environ, say_on_stderr)
    for path in (found.etcd, found.api_server, found.controller_manager):
        print(path)
    return 0


def _helm(_options: argparse.Namespace) -> int:
    print(binaries.ensure_helm(os.environ, say_on_stderr))
    return 0


def _judges(options: argparse.Namespace) -> int:
    """Those that can't be had are named, and no failure: the tests that need them are skipped."""
    for name in versions.JUDGES:
        if name in versions.LARGE_JUDGES and not options.all:
            continue
        try:
            print(binaries.ensure_judge(name, os.environ, say_on_stderr))
        except DevError as error:
            say_on_stderr(f"tests that need {name} will be skipped: {error}")
    return 0


def _run(options: argparse.Namespace) -> int:
    if options.data:
        return _serve(options.data, options)
    with tempfile.TemporaryDirectory(prefix="anka-control-plane-") as folder:
        return _serve(Path(folder), options)


def _serve(directory: Path, options: argparse.Namespace) -> int:
    enough = threading.Event()
    with ControlPlane.start(directory, options.keep, options.audit) as plane:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: enough.set())
        print(f"export KUBECONFIG={plane.kubeconfig}", flush=True)
        say_on_stderr(f"the Kubernetes API is ready at {plane.server}; Ctrl-C ends it")
        while not enough.wait(_CHECK_SECONDS):
            plane.check()
    return 0
