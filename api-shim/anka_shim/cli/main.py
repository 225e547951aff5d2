"""`anka-shim`: without a subcommand it serves, as the chart calls it."""

import asyncio
import contextlib

from anka_kube.config import load_endpoint
from anka_kube.endpoint import ConfigError
from anka_runtime import logs
from anka_runtime.addresses import join_host_port
from anka_runtime.cli import Call, Command, CommandLine, from_settings
from anka_runtime.settings import fail
from anka_shim.cli import translate_env
from anka_shim.http.server import listen, raise_descriptor_limit
from anka_shim.process import run as serve
from anka_shim.settings import ShimSettings

PROG = "anka-shim"


def run(call: Call[ShimSettings]) -> None:
    """Exit code 0 after SIGTERM or SIGINT, 2 for settings that can't be used."""
    settings = call.options
    logs.configure(settings.log_level, settings.log_format)
    try:
        endpoint = load_endpoint(settings.kubeconfig)
    except ConfigError as error:
        fail(PROG, str(error))
    try:
        raise_descriptor_limit(settings.max_connections)
    except OSError as error:
        fail(PROG, f"--max-connections {settings.max_connections}: {error}")
    try:
        sock = listen(settings.host, settings.port)
    except OSError as error:
        where = join_host_port(settings.host, settings.port)
        fail(PROG, f"cannot listen on {where}: {error.strerror or error}; see --host and --port")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner, contextlib.suppress(KeyboardInterrupt):
        runner.run(serve(settings, endpoint, sock))


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return None
    return uvloop.Loop


COMMAND_LINE = CommandLine(
    PROG, commands=(translate_env.COMMAND,), default=Command("run", "serve", from_settings(ShimSettings), run)
)


def main(argv: list[str] | None = None) -> int:
    return COMMAND_LINE.run(argv)
