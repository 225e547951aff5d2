"""``anka-dev image``."""

from __future__ import annotations

import argparse
import os
from typing import Any

from anka_dev.controlplane import versions
from anka_dev.controlplane.embedded import say_on_stderr
from anka_dev.errors import DevError
from anka_dev.image.build import build
from anka_dev.image.buildah import Buildah, missing


def register(subparsers: Any) -> None:
    """Add ``image``."""
    parser = subparsers.add_parser("image", help="build the container image without Docker")
    parser.add_argument("name", nargs="?", default="anka-cloud:dev", help="its name (default: %(default)s)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if why := missing():
        raise DevError(f"{why}; with Docker: docker build -t {options.name} .")
    tool = Buildah(versions.cache_root(os.environ) / "images")
    build(tool, options.name, say_on_stderr)
    print(f"buildah --root={tool.store / 'root'} --runroot={tool.store / 'run'} images")
    return 0
