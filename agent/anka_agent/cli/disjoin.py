"""`anka-agent disjoin`."""

from anka_agent.cli.foreground import finish, say
from anka_agent.cli.joined import with_joined_file
from anka_agent.membership.disjoin import disjoin
from anka_agent.membership.launchd import find_launchd
from anka_agent.membership.settings import DisjoinSettings
from anka_runtime.cli import Call, Command


def run(call: Call[DisjoinSettings]) -> None:
    finish(call.prog, disjoin(call.options, find_launchd(), say))


COMMAND = Command("disjoin", "leave the build cloud once the VMs have ended", with_joined_file(DisjoinSettings), run)
