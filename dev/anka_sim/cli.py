"""`anka-sim`: the tool that makes simulated Macs and registries."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from anka_sim import mac_command, registry_command
from anka_sim.mac.errors import SimulatedAnkaError
from anka_sim.registry.catalog import CatalogError

COMMANDS = {"mac": mac_command, "registry": registry_command}
ERRORS = (SimulatedAnkaError, CatalogError, OSError)
"""Failures whose text is one line for people."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 when it failed with a message, 2 for bad arguments."""
    parser = argparse.ArgumentParser(prog="anka-sim", description="Simulated Macs with Anka, and their registry.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.add_arguments(subparsers.add_parser(name, help=command.HELP))
    options = parser.parse_args(argv)
    try:
        options.run(options)
    except ERRORS as error:
        sys.stderr.write(f"anka-sim {options.command}: {error}\n")
        return 1
    return 0
