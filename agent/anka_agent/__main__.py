"""`anka-agent`: the command line."""

from __future__ import annotations

import asyncio
import sys

from anka_agent import VERSION, commands
from anka_agent.app import Agent, Crashed, StartError
from anka_agent.membership.ankacluster import known
from anka_agent.settings import AgentSettings
from anka_agent.update.launcher import Launcher
from anka_agent.update.versions import UPDATE_EXIT, Versions
from anka_crds.kube.config import ConfigError, load_endpoint
from anka_crds.process import logs
from anka_crds.process.settings import fail

PROG = "anka-agent"
USAGE = f"""usage: {PROG} run [flags]     keep this Mac's VMs as the Kubernetes API wants them
       {PROG} launch [flags]                   the same, and start the versions that AnkaNode spec.agentVersion asks for
       {PROG} join URL --token TOKEN [flags]   join a build cloud, and start the agent (macOS)
       {PROG} disjoin [--force]                leave it again, when the VMs have ended
       {PROG} status [--machine-readable]      what this Mac is in it
       {PROG} doctor [--machine-readable]      check what the agent needs, and say what is wrong
       {PROG} COMMAND --help  all flags of a command
       {PROG} version         the version"""


def main(argv: list[str] | None = None) -> None:
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] in ("-h", "--help", "help"):
        print(USAGE)
        raise SystemExit(0 if words else 2)
    command, *rest = words
    if command in ("version", "--version"):
        print(f"{PROG} {VERSION}")
        return
    given = known(rest)
    if given.refused:
        fail(f"{PROG} {command}", *given.refused)
    for line in given.left_out:
        print(f"{PROG} {command}: {line}", file=sys.stderr)
    rest = given.words
    if command == "run":
        run(commands.joined_settings(AgentSettings, f"{PROG} run", rest))
    elif command == "launch":
        launch(commands.joined_settings(AgentSettings, f"{PROG} launch", rest), rest)
    elif command in commands.COMMANDS:
        commands.COMMANDS[command](f"{PROG} {command}", rest)
    else:
        fail(PROG, f"unknown command {command!r}: see {PROG} --help")


def launch(settings: AgentSettings, flags: list[str]) -> None:
    logs.configure(settings.log_level, settings.log_format)
    versions = Versions(settings.state_dir / "versions")
    raise SystemExit(Launcher(versions, flags, trial_seconds=settings.update_seconds).run())


def run(settings: AgentSettings) -> None:
    logs.configure(settings.log_level, settings.log_format)
    try:
        endpoint = load_endpoint(settings.kubeconfig)
    except ConfigError as error:
        fail(PROG, str(error))
    agent = Agent(settings, endpoint)
    try:
        asyncio.run(agent.run())
    except StartError as error:
        fail(PROG, str(error))
    except Crashed as error:
        fail(PROG, str(error), code=1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if agent.updated:
        raise SystemExit(UPDATE_EXIT)


if __name__ == "__main__":
    main()
