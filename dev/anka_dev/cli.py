"""``anka-dev``: the tools for development, the demo and the tests. A command's module is imported when it runs."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

from anka_runtime.cli import Call, Command, CommandLine, LazyCommand, from_arguments
from localkube.errors import DevError


def simulator_command(name: str, help: str) -> Command[argparse.Namespace]:
    """A command of ``anka-sim``, which also stands alone."""

    def add(parser: argparse.ArgumentParser) -> None:
        importlib.import_module(f"anka_sim.{name}_command").add_arguments(parser)

    def run(call: Call[argparse.Namespace]) -> None:
        from anka_sim.cli import ERRORS

        try:
            call.options.run(call.options)
        except ERRORS as error:
            raise DevError(str(error)) from error

    return Command(name, help, from_arguments(add), run)


COMMAND_LINE = CommandLine(
    "anka-dev",
    "Development tools of the Anka build cloud.",
    (
        LazyCommand("control-plane", "a Kubernetes API on this machine", "anka_dev.control_plane"),
        simulator_command("mac", "simulated Mac hosts with an anka command"),
        simulator_command("registry", "a simulated Anka registry"),
        LazyCommand("demo", "a build cloud with two simulated Macs", "anka_dev.demo.command"),
        LazyCommand("dashboards", "write the Grafana dashboards of the chart", "anka_dev.dashboards.command"),
        LazyCommand("reference", "write the reference pages that are made from the code", "anka_dev.reference.command"),
        LazyCommand("image", "build the container image without Docker", "anka_dev.image.command"),
        LazyCommand("agent-package", "write a package of the agent, for /pkg and updates", "anka_dev.agent_package"),
        LazyCommand("portal", "work on the portal's pages", "anka_dev.portal.command"),
        LazyCommand("bench", "measure what users wait for, beside references", "anka_dev.bench.command"),
    ),
    errors={DevError: 1},
)


def main(argv: Sequence[str] | None = None) -> int:
    return COMMAND_LINE.run(argv)
