"""/livez, /readyz and /metrics of a process. A check returns None if it passes, else the reason in one line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], str | None]


@dataclass
class HealthChecks:
    """Checks by name. `live`: a restart helps if one fails. `ready`: the process can do its work now.

    An unreachable API can fail readiness, never liveness: a restart does not bring it back.
    """

    live: dict[str, Check] = field(default_factory=dict)
    ready: dict[str, Check] = field(default_factory=dict)

    def evaluate(self, checks: Mapping[str, Check]) -> tuple[bool, str]:
        """Whether all checks pass, and a line for each."""
        results = {name: check() for name, check in checks.items()}
        lines = [
            f"[{'ok' if why is None else 'failed'}] {name}" + (f": {why}" if why else "")
            for name, why in results.items()
        ]
        return all(why is None for why in results.values()), "\n".join([*lines, ""])


def application(health: HealthChecks) -> web.Application:
    def answer(checks: Mapping[str, Check]) -> web.Response:
        well, text = health.evaluate(checks)
        return web.Response(text=text or "ok\n", status=200 if well else 503)

    async def livez(_: web.Request) -> web.Response:
        return answer(health.live)

    async def readyz(_: web.Request) -> web.Response:
        return answer({**health.live, **health.ready})

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    handlers = {"/livez": livez, "/healthz": livez, "/readyz": readyz, "/metrics": metrics}
    app.add_routes([web.get(path, handler) for path, handler in handlers.items()])
    return app


async def serve(health: HealthChecks, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve until the runner is cleaned up. Returns the port in use: port 0 selects a free one.

    Raises OSError if the port is in use."""
    runner = web.AppRunner(application(health), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    return runner, int(runner.addresses[0][1])
