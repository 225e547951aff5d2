"""anka-shim: the command."""

from __future__ import annotations

import asyncio
import contextlib

from anka_crds.kube.config import ConfigError, load_endpoint
from anka_crds.process import logs
from anka_crds.process.settings import fail, load
from anka_shim.process import run
from anka_shim.server import listen
from anka_shim.settings import ShimSettings

PROG = "anka-shim"


def main(argv: list[str] | None = None) -> None:
    """Exit code 0 after SIGTERM or SIGINT, 2 for settings that can't be used."""
    settings = load(ShimSettings, PROG, argv)
    logs.configure(settings.log_level, settings.log_format)
    try:
        endpoint = load_endpoint(settings.kubeconfig)
    except ConfigError as error:
        fail(PROG, str(error))
    try:
        sock = listen(settings.host, settings.port)
    except OSError as error:
        fail(
            PROG, f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}; see --host and --port"
        )
    with asyncio.Runner(loop_factory=_loop_factory()) as runner, contextlib.suppress(KeyboardInterrupt):
        runner.run(run(settings, endpoint, sock))


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return None
    return uvloop.Loop
