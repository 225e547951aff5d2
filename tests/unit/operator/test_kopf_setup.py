"""kopf, tamed: what it must never do, and that it uses our credentials."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import kopf
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_crds.kube.config import Endpoint
from anka_operator import kopf_setup


def test_delays_never_end_and_stay_short() -> None:
    delays = list(itertools.islice(kopf_setup.EndlessBackoff(), 500))
    assert len(delays) == 500
    assert all(0 < delay <= 5 for delay in delays)
    assert delays[0] <= 0.2


def test_settings() -> None:
    settings = kopf_setup.settings()
    assert not settings.posting.enabled
    assert settings.peering.standalone
    assert settings.scanning.disabled
    assert not settings.watching.initial_streaming
    assert isinstance(settings.networking.error_backoffs, kopf_setup.EndlessBackoff)
    assert list(settings.watching.field_selectors.values()) == ["status.phase=Error"]


class Rotating:
    """A token that becomes another one when it is refused."""

    def __init__(self) -> None:
        self.number = 0

    async def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.number}"}

    def invalidate(self, used: Mapping[str, str]) -> None:
        self.number += 1


async def test_login_uses_our_credentials_at_every_request() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.Response(status=401 if len(seen) == 1 else 200)

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server:
        registry = kopf.OperatorRegistry()
        endpoint = Endpoint(str(server.make_url("")).rstrip("/"), credentials=Rotating(), namespace="somewhere")
        kopf_setup.login(registry, endpoint)
        (handler,) = registry._activities.get_all_handlers()
        # ours takes nothing of what kopf passes
        login = await cast(Callable[[], Awaitable[kopf.AiohttpSession]], handler.fn)()
        assert (login.server, login.default_namespace) == (endpoint.server, "somewhere")
        async with login.aiohttp_session as session:
            for wanted in (401, 200):
                async with session.get(f"{login.server}/") as response:
                    assert response.status == wanted
    assert seen == ["Bearer 0", "Bearer 1"]
