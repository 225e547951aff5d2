"""/livez, /readyz and /metrics of a process. Each check answers None when well, else why not, in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], str | None]


@dataclass
class Health:
    """Checks by name. Live: restarting me would help if this fails. Ready: I can do my work now.

    The API being away must fail readiness at most, never liveness: a restart does not bring it back.
    """

    live: dict[str, Check] = field(default_factory=dict)
    ready: dict[str, Check] = field(default_factory=dict)

    def verdict(self, checks: Mapping[str, Check]) -> tuple[bool, str]:
        """Whether all pass, and a line for each check."""
        results = {name: check() for name, check in checks.items()}
        lines = [
            f"[{'ok' if why is None else 'failed'}] {name}" + (f": {why}" if why else "")
            for name, why in results.items()
        ]
        return all(why is None for why in results.values()), "\n".join([*lines, ""])


def _probe(health: Health, checks: Mapping[str, Check]) -> Callable[[web.Request], web.Response]:
    def answer(_: web.Request) -> web.Response:
        well, text = health.verdict(checks)
        return web.Response(text=text or "ok\n", status=200 if well else 503)

    return answer


def application(health: Health) -> web.Application:
    app = web.Application()

    async def livez(request: web.Request) -> web.Response:
        return _probe(health, health.live)(request)

    async def readyz(request: web.Request) -> web.Response:
        return _probe(health, {**health.live, **health.ready})(request)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/livez", livez)
    app.router.add_get("/healthz", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


async def serve(health: Health, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve until the runner is cleaned up. Port 0 takes a free one; the port in use is returned.

    Raises OSError when the port is taken."""
    runner = web.AppRunner(application(health), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    address = runner.addresses[0]
    return runner, int(address[1])
