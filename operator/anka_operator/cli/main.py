"""`anka-operator`: without a subcommand it runs the operator, as the chart calls it."""

import asyncio
import logging

import uvloop

from anka_kube.config import load_endpoint
from anka_kube.endpoint import ConfigError
from anka_operator.cli import explain
from anka_operator.process import Operator
from anka_operator.settings import OperatorSettings
from anka_runtime import logs
from anka_runtime.cli import Call, Command, CommandLine, from_settings
from anka_runtime.settings import fail

PROG = "anka-operator"


def run(call: Call[OperatorSettings]) -> int:
    settings = call.options
    logs.configure(settings.log_level, settings.log_format)
    if settings.log_level != "DEBUG":
        # At INFO, kopf logs about itself; its clients log an error for every retry, which feeds log once.
        logging.getLogger("kopf").setLevel("WARNING")
        logging.getLogger("kopf._cogs.clients").setLevel("CRITICAL")
    try:
        endpoint = load_endpoint(settings.kubeconfig)
    except ConfigError as error:
        fail(PROG, str(error))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(Operator(settings, endpoint).run())
    except OSError as error:
        fail(PROG, f"--health-port {settings.health_port} can't be used: {error.strerror or error}", code=1)


COMMAND_LINE = CommandLine(
    PROG, commands=(explain.COMMAND,), default=Command("run", "run the operator", from_settings(OperatorSettings), run)
)


def main(argv: list[str] | None = None) -> int:
    return COMMAND_LINE.run(argv)
