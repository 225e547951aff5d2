"""``anka-dev image``."""

from __future__ import annotations

import argparse

from anka_dev.image.build import build
from anka_dev.image.buildah import Buildah, missing
from anka_dev.local_kubernetes import environment
from anka_runtime.cli import Call, Command, from_arguments
from localkube.errors import DevError
from localkube.progress import say_on_stderr


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", default="anka-cloud:dev", help="its name (default: %(default)s)")


def run(call: Call[argparse.Namespace]) -> int:
    options = call.options
    if why := missing():
        raise DevError(f"{why}; with Docker: docker build -t {options.name} .")
    tool = Buildah(environment().cache_root / "images")
    build(tool, options.name, say_on_stderr)
    print(f"buildah --root={tool.store / 'root'} --runroot={tool.store / 'run'} images")
    return 0


COMMAND = Command("image", "build the container image without Docker", from_arguments(add_arguments), run)
