"""``anka-dev demo``."""

from __future__ import annotations

import argparse
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

from anka_dev.controlplane import ControlPlane, open_cluster
from anka_dev.controlplane.filelock import locked
from anka_dev.controlplane.process import GRACE_SECONDS
from anka_dev.demo import check
from anka_dev.demo.story import Story
from anka_dev.demo.teller import Teller
from anka_dev.errors import DevError

_DIRECTORY = Path("build/demo")
_CHECK_SECONDS = 1.0
_TOKEN_RENEWAL_SECONDS = 86_400.0


def register(subparsers: Any) -> None:
    """Add ``demo``."""
    parser = subparsers.add_parser("demo", help="a build cloud with two simulated Macs")
    parser.add_argument("--check", action="store_true", help="run the commands that it prints, then exit 0 or 1")
    parser.add_argument("--directory", type=Path, default=_DIRECTORY, metavar="DIR", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=8090, help="of the REST API, if it is free (default: %(default)s)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Bring the cloud up, tell how to reach it, and stay until Ctrl-C; with --check run what was told instead."""
    for program in ("ssh", "curl"):
        if shutil.which(program) is None:
            raise DevError(f"the demo needs {program} in PATH: install it and run this again")
    enough = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: enough.set())
    directory: Path = options.directory.absolute()
    with locked(
        directory.with_name(f"{directory.name}.lock"),
        patience=GRACE_SECONDS,
        waiting=lambda _pid, _seconds: None,
        busy=f"a demo runs in {directory} already (process {{pid}}): stop it, or choose another --directory",
    ):
        shutil.rmtree(directory, ignore_errors=True)
        return _run(directory, options, enough)


def _run(directory: Path, options: argparse.Namespace, enough: threading.Event) -> int:
    teller = Teller()
    teller.say("control plane: kube-apiserver, etcd, kube-controller-manager")
    with open_cluster(directory / "control-plane", say=teller.say) as cluster:
        teller.say(f"control plane: ready at {cluster.server}")
        with Story(cluster, directory, teller, enough) as story:
            story.bring_up(options.port)
            story.apply_examples()
            if options.check:
                return check.run(story)
            story.tell_how_to_reach_it()
            elapsed = 0.0
            while not enough.wait(_CHECK_SECONDS):
                story.cloud.check()
                if isinstance(cluster, ControlPlane):
                    cluster.check()
                elapsed += _CHECK_SECONDS
                if elapsed >= _TOKEN_RENEWAL_SECONDS:
                    story.cloud.renew_tokens()
                    elapsed = 0.0
            teller.say("stopping")
    return 0
