"""kopf without the habits that cost writes or end the process."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import kopf
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_crds.api import NodeGroup
from anka_crds.resources import GROUPS, INSTANCES
from anka_kube.endpoint import Endpoint
from anka_kube.store import Store
from anka_operator.kopf_watch.feed import KopfFeed
from anka_operator.kopf_watch.settings import EndlessBackoff, NoDiffBaseStorage, build_settings, register_login
from support.manual_clock import ManualClock


def test_delays_never_end_and_stay_short() -> None:
    delays = list(itertools.islice(EndlessBackoff(), 500))
    assert len(delays) == 500
    assert all(0 < delay <= 5 for delay in delays)
    assert delays[0] <= 0.2


def test_settings() -> None:
    settings = build_settings({INSTANCES: "status.phase=Error"})
    assert not settings.posting.enabled
    assert settings.peering.standalone
    assert settings.scanning.disabled
    assert not settings.watching.initial_streaming
    assert settings.watching.chunk_size is None  # a feed takes a list as one answer
    assert settings.queueing.worker_limit is None
    assert isinstance(settings.networking.error_backoffs, EndlessBackoff)
    assert isinstance(settings.persistence.diffbase_storage, NoDiffBaseStorage)
    assert list(settings.watching.field_selectors.values()) == ["status.phase=Error"]


class RotatingToken:
    """A token that changes when it is refused."""

    def __init__(self) -> None:
        self.number = 0

    async def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.number}"}

    def invalidate(self, used: Mapping[str, str]) -> None:
        self.number += 1


async def log_in(endpoint: Endpoint, *feeds: KopfFeed[NodeGroup]) -> kopf.AiohttpSession:
    registry = kopf.OperatorRegistry()
    register_login(registry, endpoint, feeds)
    (handler,) = registry._activities.get_all_handlers()
    # ours takes nothing of what kopf passes
    return await cast(Callable[[], Awaitable[kopf.AiohttpSession]], handler.fn)()


async def test_every_request_reads_the_credentials() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.Response(status=401 if len(seen) == 1 else 200)

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server:
        endpoint = Endpoint(str(server.make_url("")).rstrip("/"), credentials=RotatingToken(), namespace="somewhere")
        login = await log_in(endpoint)
        assert (login.server, login.default_namespace) == (endpoint.server, "somewhere")
        async with login.aiohttp_session as session:
            for wanted in (401, 200):
                async with session.get(f"{login.server}/") as response:
                    assert response.status == wanted
    assert seen == ["Bearer 0", "Bearer 1"]


async def test_a_list_is_in_the_store_before_kopf_has_it() -> None:
    async def answer(_: web.Request) -> web.Response:
        group = {"metadata": {"name": "ios", "uid": "uid-ios", "resourceVersion": "7"}, "spec": {}}
        return web.json_response({"metadata": {"resourceVersion": "9"}, "items": [group]})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        endpoint = Endpoint(str(server.make_url("")).rstrip("/"))
        feed = KopfFeed(Store(GROUPS), ManualClock())
        login = await log_in(endpoint, feed)
        async with login.aiohttp_session as session:
            await (await session.get(f"{login.server}/apis/other/v1/nodegroups")).read()
            assert not feed.synced.is_set()
            async with session.get(f"{login.server}{GROUPS.path()}") as response:
                assert feed.store.get("ios") is not None
                assert (await response.json())["items"][0]["metadata"]["name"] == "ios"
