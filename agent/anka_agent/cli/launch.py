"""`anka-agent launch`. It stays as long as the agent does, beside it: it imports no more than it needs."""

from anka_agent.cli.joined import with_joined_file
from anka_agent.settings import AgentSettings
from anka_agent.update.launcher import Launcher
from anka_agent.update.versions import Versions
from anka_runtime import logs
from anka_runtime.cli import Call, Command


def run(call: Call[AgentSettings]) -> int:
    settings = call.options
    logs.configure(settings.log_level, settings.log_format)
    versions = Versions(settings.state_dir / "versions")
    return Launcher(versions, call.argv, trial_seconds=settings.update_seconds).run()


COMMAND = Command(
    "launch",
    "run the agent, and start the version that the AnkaNode's spec.agentVersion names",
    with_joined_file(AgentSettings),
    run,
)
