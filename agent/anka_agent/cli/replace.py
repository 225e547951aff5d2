"""`anka-agent replace`."""

from anka_agent.cli.foreground import finish, say
from anka_agent.cli.joined import with_joined_file
from anka_agent.membership.replace import replace
from anka_agent.settings import AgentSettings
from anka_runtime.cli import Call, Command


def run(call: Call[AgentSettings]) -> None:
    finish(call.prog, replace(call.options, say))


COMMAND = Command(
    "replace",
    "put this Mac in the place of another one that is this node now, because its disk was copied",
    with_joined_file(AgentSettings),
    run,
)
