"""`anka-agent`: its subcommands. A command's module is imported when it runs: what a Mac runs for weeks does not hold
what only a person needs for seconds."""

import sys
from collections.abc import Sequence

from anka_agent.cli.ankacluster import translate
from anka_runtime.cli import CommandLine, LazyCommand
from anka_runtime.settings import fail

PROG = "anka-agent"


def rewrite(prog: str, argv: list[str]) -> list[str]:
    """Translate flags of `ankacluster join`; end the process for those whose meaning would be lost."""
    translation = translate(argv)
    if translation.refused:
        fail(prog, *translation.refused)
    for line in translation.left_out:
        print(f"{prog}: {line}", file=sys.stderr)
    return translation.argv


COMMAND_LINE = CommandLine(
    PROG,
    "Runs on a Mac, and keeps its VMs as the Kubernetes API wants them.",
    (
        LazyCommand("run", "run the agent in the foreground", "anka_agent.cli.run"),
        LazyCommand(
            "launch",
            "run the agent, and start the version that the AnkaNode's spec.agentVersion names",
            "anka_agent.cli.launch",
        ),
        LazyCommand("join", "join a build cloud, and start the agent (macOS)", "anka_agent.cli.join"),
        LazyCommand("disjoin", "leave the build cloud once the VMs have ended", "anka_agent.cli.disjoin"),
        LazyCommand(
            "replace",
            "put this Mac in the place of another one that is this node now, because its disk was copied",
            "anka_agent.cli.replace",
        ),
        LazyCommand("status", "show this Mac's membership and its node", "anka_agent.cli.status"),
        LazyCommand("doctor", "check what the agent needs, and say what is wrong", "anka_agent.cli.doctor"),
    ),
    rewrite=rewrite,
)


def main(argv: Sequence[str] | None = None) -> int:
    return COMMAND_LINE.run(argv)
