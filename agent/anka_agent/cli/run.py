"""`anka-agent run`."""

import asyncio
from contextlib import ExitStack

from anka_agent.cli.joined import with_joined_file
from anka_agent.cli.main import PROG
from anka_agent.settings import AgentSettings
from anka_agent.supervisor import Agent, Crashed, StartError
from anka_agent.update.versions import UPDATE_EXIT
from anka_kube.config import load_endpoint
from anka_kube.endpoint import ConfigError
from anka_runtime import logs
from anka_runtime.cli import Call, Command
from anka_runtime.settings import fail


def run(call: Call[AgentSettings]) -> int:
    settings = call.options
    logs.configure(settings.log_level, settings.log_format)
    try:
        agent = Agent(settings, load_endpoint(settings.kubeconfig))
        with ExitStack() as locks:
            asyncio.run(agent.run(locks))
    except (ConfigError, StartError) as error:
        fail(PROG, str(error))
    except Crashed as error:
        fail(PROG, str(error), code=1)
    return UPDATE_EXIT if agent.updated else 0


COMMAND = Command("run", "run the agent in the foreground", with_joined_file(AgentSettings), run)
