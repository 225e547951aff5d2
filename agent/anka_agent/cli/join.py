"""`anka-agent join`."""

from anka_agent.cli.foreground import finish, say
from anka_agent.membership.join import join
from anka_agent.membership.launchd import find_launchd
from anka_agent.membership.settings import JoinSettings
from anka_runtime.cli import Call, Command, from_settings


def run(call: Call[JoinSettings]) -> None:
    service = find_launchd() if call.options.service else None
    finish(call.prog, join(call.options, service, say))


COMMAND = Command("join", "join a build cloud, and start the agent (macOS)", from_settings(JoinSettings), run)
