"""`anka-operator`: see --help."""

from __future__ import annotations

import asyncio
import logging
import sys

import uvloop

from anka_crds.kube.config import ConfigError, load_endpoint
from anka_crds.process import logs
from anka_crds.process.settings import fail, load
from anka_operator import explain
from anka_operator.app import Operator
from anka_operator.settings import OperatorSettings

PROG = "anka-operator"


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["explain"]:
        return explain.main(words[1:])
    settings = load(OperatorSettings, PROG, words)
    logs.configure(settings.log_level, settings.log_format)
    # What kopf tells at INFO is about kopf.
    logging.getLogger("kopf").setLevel("DEBUG" if settings.log_level == "DEBUG" else "WARNING")
    try:
        endpoint = load_endpoint(settings.kubeconfig)
    except ConfigError as error:
        fail(PROG, str(error))

    async def run() -> int:
        return await Operator(settings, endpoint).run()

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run())
    except OSError as error:
        fail(PROG, f"--health-port {settings.health_port} can't be used: {error.strerror or error}", code=1)
