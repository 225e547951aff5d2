"""What a write waits for, over real HTTP between two replicas of one process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_crds.api import NodeGroup
from anka_crds.resources import GROUPS
from anka_kube.store import Store
from anka_shim.replicas.barrier import PeerBarrier
from anka_shim.replicas.client import ANY_VERSION, PATH, PeerClient
from anka_shim.replicas.peers import Peers
from anka_shim.store.writes import WriteCoordinator
from support.shim_rig import Rig, rig


def group(version: str, name: str = "g") -> NodeGroup:
    return NodeGroup.from_api({"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": version}})


LONG = 600.0
"""Whoever waits for so long has waited for the wrong thing."""


@dataclass
class Pair:
    """A barrier of ours, and a whole shim at the other end."""

    other: Rig
    barrier: PeerBarrier
    peers: Peers
    store: Store[NodeGroup]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - nothing tells a test of it
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def pair(seconds: float = LONG) -> AsyncIterator[Pair]:
    async with rig() as other:

        async def forward(request: web.Request) -> web.Response:
            answer = await other.http.get(request.path_qs)
            return web.Response(status=answer.status_code, body=answer.content)

        app = web.Application()
        app.router.add_get(PATH, forward)
        server = TestServer(app)
        await server.start_server()
        async with PeerClient(seconds) as line:
            peers = Peers([("127.0.0.1", int(server.port or 0))], line, id_="me")
            await peers.refresh()
            assert len(peers.live) == 1
            yield Pair(other, PeerBarrier(peers, seconds), peers, Store(GROUPS))
        await server.close()


async def test_a_write_waits_until_the_other_replica_has_seen_it() -> None:
    async with pair() as two:
        seen = int(two.other.services.stores.groups.delivered_version)
        await asyncio.wait_for(two.barrier.wait_for_version(two.store, str(seen)), 60)
        waiting = asyncio.create_task(two.barrier.wait_for_version(two.store, str(seen + 1)))
        await until(lambda: bool(two.other.services.stores.groups._listeners))
        assert not waiting.done()
        two.other.api.put("nodegroups", "new", "", spec={})
        await asyncio.wait_for(waiting, 60)
        assert two.other.services.stores.group("new") is not None


async def test_a_replica_that_stays_behind_is_left_out() -> None:
    async with pair(seconds=1.0) as two:
        await asyncio.wait_for(two.barrier.wait_for_version(two.store, "999999999"), 60)
        await until(lambda: not two.peers.live)


@pytest.mark.parametrize("version", [None, "", "opaque"])
async def test_what_can_not_be_compared_is_not_waited_for(version: str | None) -> None:
    async with pair() as two:
        await asyncio.wait_for(two.barrier.wait_for_version(two.store, version), 60)
        assert two.peers.live


async def test_a_deletion_waits_for_our_own_watch_which_knows_its_version() -> None:
    async with pair() as two:
        at = int(two.other.services.stores.groups.delivered_version)
        two.store.replace([group("1")], str(at - 1), two.store.begin_list())
        gone = group("1")
        waiting = asyncio.create_task(WriteCoordinator(LONG, two.barrier).publish_deletion(two.store, gone))
        await asyncio.sleep(0)
        assert two.store.get("g") is None
        assert not waiting.done()
        two.store.observe_deleted(("", "g"), "uid-g", str(at))
        await asyncio.wait_for(waiting, 60)


async def test_without_peers_nothing_is_waited_for() -> None:
    async with PeerClient(LONG) as line:
        barrier = PeerBarrier(Peers([], line), LONG)
        store: Store[NodeGroup] = Store(GROUPS)
        store.replace([group("1")], "1", store.begin_list())
        writes = WriteCoordinator(LONG, barrier)
        await asyncio.wait_for(writes.publish(store, group("7"), group("6", "h")), 60)
        await asyncio.wait_for(writes.publish_deletion(store, group("7")), 60)
        assert [obj.metadata.name for obj in store] == ["h"]


async def test_what_is_no_replica_is_none() -> None:
    answers = [(200, b"hello"), (200, b"{}"), (200, b"[]"), (404, b'{"id": "x"}')]

    async def odd(_: web.Request) -> web.Response:
        status, body = answers.pop(0)
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_get(PATH, odd)
    server = TestServer(app)
    await server.start_server()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        entries = [("127.0.0.1", int(server.port or 0)), ("127.0.0.1", unused.getsockname()[1])]
        async with PeerClient(5) as line:
            peers = Peers(entries, line)
            while answers:
                await peers.refresh()
                assert not peers.live
    await server.close()


async def test_the_endpoint() -> None:
    async with rig() as shim:

        async def get(**query: str) -> httpx.Response:
            return await shim.http.get(PATH, params=query)

        me = shim.services.peers.id
        assert (await get()).json() == {"id": me}
        seen = shim.services.stores.instances.delivered_version
        assert (await get(kind="ankainstances", version=seen, seconds="2")).json() == {"id": me, "seen": seen}
        behind = await get(kind="ankainstances", version="9999999", seconds="0.01")
        assert behind.json() == {"id": me, "seen": seen}
        for query in (
            {"kind": "secrets", "version": "1"},
            {"kind": "ankanodes", "version": "x"},
            {"kind": "ankanodes"},
            {"kind": "ankanodes", "version": "1", "seconds": "nan"},
            {"kind": "ankanodes", "version": "1", "seconds": "long"},
            {"kind": "ankanodes", "version": "1" * 30, "seconds": "1"},
        ):
            assert (await get(**query)).status_code == 400
        assert PATH not in (await shim.http.get("/openapi.json")).json()["paths"]


async def test_only_so_many_wait_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anka_shim.replicas.endpoints.MAX_WAITING", 1)
    async with rig() as shim:
        query = {"kind": "ankanodes", "version": "9999999", "seconds": "60"}
        monkeypatch.setattr("anka_shim.replicas.endpoints.MAX_SECONDS", 0.2)
        first = asyncio.create_task(shim.http.get(PATH, params=query))
        await until(lambda: bool(shim.services.stores.nodes._listeners))
        assert (await shim.http.get(PATH, params=query)).status_code == 503
        # However long it asked to wait.
        assert (await asyncio.wait_for(first, 60)).status_code == 200


async def test_a_replica_that_has_read_nothing_yet_holds_nobody_up() -> None:
    async with rig(synced=False) as shim:
        query = {"kind": "ankainstances", "version": "9999999", "seconds": "2"}
        assert (await shim.http.get(PATH, params=query)).json()["seen"] == ""
    assert ANY_VERSION > 9999999
