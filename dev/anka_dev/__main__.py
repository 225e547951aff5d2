"""``anka-dev``: the tools that developers, the demo and the tests use.

A command is one row of ``COMMANDS``: its name, its help and the module that has ``register(subparsers)``. That
function adds a parser of that name and sets ``run`` on it: ``Callable[[argparse.Namespace], int]``.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from anka_dev.errors import DevError


class Command(NamedTuple):
    """One row of the table of commands."""

    help: str
    module: str


COMMANDS: dict[str, Command] = {
    "control-plane": Command("a Kubernetes API on this machine", "anka_dev.controlplane.cli"),
    "mac": Command("simulated Mac hosts with an anka command", "anka_dev.mac.command"),
    "registry": Command("a simulated Anka registry", "anka_dev.registry.command"),
    "demo": Command("a build cloud with two simulated Macs", "anka_dev.demo.command"),
    "dashboards": Command("write the Grafana dashboards of the chart", "anka_dev.dashboards.command"),
    "image": Command("build the container image without Docker", "anka_dev.image.command"),
    "agent-package": Command("a package of the agent, for /pkg and its updates", "anka_dev.agent_package"),
    "bench": Command("measure what users wait for, beside references", "anka_dev.bench.command"),
}


def build_parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for these arguments. Only the chosen command's module is imported, to start quickly."""
    parser = argparse.ArgumentParser(prog="anka-dev", description="Development tools of the Anka build cloud.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = argv[0] if argv else ""
    for name, command in COMMANDS.items():
        if name == chosen:
            importlib.import_module(command.module).register(subparsers)
        else:
            subparsers.add_parser(name, help=command.help)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 when it failed with a message, 2 for bad arguments."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = build_parser(arguments).parse_args(arguments)
    try:
        return int(options.run(options))
    except DevError as error:
        print(f"anka-dev {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
