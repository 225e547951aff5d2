"""The portal's stream, by real processes against a real kube-apiserver: at two replicas, and at one that ends."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from localkube.controlplane import KubernetesCluster, apply
from support.api_keys import bearer, decrypt
from support.kinds import bind_shim, nothing_left
from support.portal_tab import PATIENCE_SECONDS, PortalTab, portal_tab
from support.rsa_keys import PUBLIC
from support.shim_pair import metric
from support.shim_process import ShimProcess, shim_process

pytestmark = pytest.mark.integration

BASE = Path(__file__).resolve().parents[2] / "charts" / "base"
TEMPLATE = "c0ffee00-2222-411e-9505-128190e9854e"
API = {"apiVersion": "anka.veertu.com/v1alpha1"}
ROOT_TOKEN = "the root token of the portal's tests"
ROOT = {"Authorization": "Basic " + base64.b64encode(f"root:{ROOT_TOKEN}".encode()).decode()}
KINDS = ("cloud", "nodes", "instances", "templates", "groups")


@pytest.fixture(scope="module")
def cluster(served_kinds: KubernetesCluster) -> Iterator[KubernetesCluster]:
    with nothing_left(served_kinds):
        for name in ("namespaces", "rbac-shim", "rbac-api-keys", "rbac-permission-groups"):
            apply(served_kinds, BASE / f"{name}.yaml")
        for item in (
            {**API, "kind": "AnkaTemplate", "metadata": {"name": TEMPLATE}, "spec": {"displayName": "macos"}},
            {**API, "kind": "AnkaNode", "metadata": {"name": "portal-mac"}, "spec": {}},
        ):
            served_kinds.kubectl.run("apply", "-f-", stdin=json.dumps(item))
        bind_shim(served_kinds, "api-keys", "permission-groups")
        yield served_kinds


@pytest.fixture(scope="module")
def kubeconfig(cluster: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cluster.kubeconfig_for("anka-shim", "anka-system", tmp_path_factory.mktemp("shim") / "kubeconfig")


@pytest.fixture(scope="module")
def replicas(kubeconfig: Path) -> Iterator[list[ShimProcess]]:
    with shim_process(kubeconfig) as first, shim_process(kubeconfig) as second:
        for shim in (first, second):
            shim.wait_ready()
        yield [first, second]


def address_of(shim: ShimProcess) -> tuple[str, int]:
    url = httpx.URL(shim.url)
    assert url.port is not None
    return url.host, url.port


@contextlib.asynccontextmanager
async def opened(shim: ShimProcess, *kinds: str, **options: Any) -> AsyncIterator[PortalTab]:
    """One that has its lists."""
    since = options.pop("since", None)
    async with portal_tab(address_of(shim), **options) as tab:
        await tab.open(*(kinds or KINDS), since=since)
        await tab.until_type("ping")
        yield tab


async def start(shim: ShimProcess, count: int = 1, **parameters: Any) -> list[str]:
    body = {"vmid": TEMPLATE, "count": count, **parameters}
    ids: list[str] = await asyncio.to_thread(shim.body, "POST", "/api/v1/vm", json=body)
    return ids


async def terminate(shim: ShimProcess, *ids: str) -> None:
    for id_ in ids:
        await asyncio.to_thread(shim.body, "DELETE", "/api/v1/vm", json={"id": id_})


def is_ended(tab: PortalTab, id_: str) -> bool:
    """Its Mac, if it had one, would now remove it."""
    return "deleted" in tab.lists["instances"].get(id_, {"deleted": True})


async def rest_ids(shim: ShimProcess) -> set[str]:
    return set(await asyncio.to_thread(shim.states))


async def test_what_one_replica_writes_both_show(replicas: list[ShimProcess]) -> None:
    first, second = replicas
    async with opened(first) as one, opened(second) as other:
        assert one.row("nodes", "portal-mac")["name"] == "portal-mac"
        ids = await start(first, 3)
        for tab in (one, other):
            await tab.until(lambda tab: set(ids) <= tab.lists["instances"].keys())
            assert tab.row("instances", ids[0])["template"]["name"] == "macos"
        await terminate(second, *ids)
        for tab in (one, other):
            await tab.until(lambda tab: all(is_ended(tab, id_) for id_ in ids))


async def test_a_browser_goes_on_at_the_other_replica(replicas: list[ShimProcess]) -> None:
    first, second = replicas
    async with opened(first) as tab:
        gone = (await asyncio.to_thread(first.body, "POST", "/api/v1/group", json={"name": "soon gone"}))["id"]
        (before,) = await start(first)
        await tab.until(lambda tab: before in tab.lists["instances"] and gone in tab.lists["groups"])
    rows, versions = tab.lists, tab.versions
    # While nobody looks, one comes and one goes.
    (new,) = await start(second)
    await asyncio.to_thread(first.body, "DELETE", "/api/v1/group", json={"id": gone})
    await terminate(first, before)
    async with portal_tab(address_of(second)) as tab:
        tab.lists = rows
        await tab.open(*KINDS, since=versions)
        await tab.until(
            lambda tab: new in tab.lists["instances"] and is_ended(tab, before) and gone not in tab.lists["groups"]
        )
        whole = {message["kind"] for message in tab.messages if message["type"] == "snapshot"}
        # What has changed since the other replica started; of the rest nobody knows what was deleted before.
        assert whole.isdisjoint({"instances", "groups"})
    await terminate(first, new)


async def test_a_replica_that_is_killed(kubeconfig: Path, replicas: list[ShimProcess]) -> None:
    survivor = replicas[0]
    with shim_process(kubeconfig) as victim:
        await asyncio.to_thread(victim.wait_ready)
        async with opened(victim) as tab:
            (id_,) = await start(survivor)
            await tab.until(lambda tab: id_ in tab.lists["instances"])
            os.kill(victim.process.pid, signal.SIGKILL)
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await tab.read()
    await terminate(survivor, id_)
    async with portal_tab(address_of(survivor)) as again:
        again.lists = tab.lists
        await again.open(*KINDS, since=tab.versions)
        await again.until(lambda tab: is_ended(tab, id_))
        assert "instances" not in {one["kind"] for one in again.messages if one["type"] == "snapshot"}


async def test_a_replica_that_stops_says_so_and_is_not_held_up(kubeconfig: Path) -> None:
    with shim_process(kubeconfig, "--drain-seconds=0") as shim:
        await asyncio.to_thread(shim.wait_ready)
        async with opened(shim) as tab:
            shim.process.send_signal(signal.SIGTERM)
            end = await tab.until_end()
            assert end["reason"] == "stopping"
            # Even a client that does not close its side: this one has not read the close frame's end yet.
            assert await asyncio.to_thread(shim.wait_end) == 0


async def test_rights_that_are_taken_away(cluster: KubernetesCluster, kubeconfig: Path, tmp_path: Path) -> None:
    token, seal = tmp_path / "root", tmp_path / "seal"
    token.write_text(ROOT_TOKEN)
    seal.write_text("a key that seals, of 32 characters and more")
    flags = (
        "--enable-auth",
        f"--root-token-file={token}",
        "--enable-api-keys",
        f"--seal-key-file={seal}",
        "--enable-authorization",
    )
    group = f"g-{uuid.uuid4().hex[:8]}"
    permissions = f"/admin/api/v1/permission/group/{group}/permissions"
    with shim_process(kubeconfig, *flags) as shim:
        await asyncio.to_thread(shim.wait_ready)
        key = {"id": group, "ttl": 3600, "groups": [group], "publicKey": PUBLIC}

        async def call(method: str, path: str, body: Any) -> dict[str, Any]:
            return await asyncio.to_thread(shim.call, method, path, json=body, headers=ROOT)

        made = await call("POST", "/api/v1/apikey", key)
        assert made["status"] == "OK", made
        given = await call("POST", permissions, ["list_vms", "list_nodes"])
        assert given["status"] == "OK", given
        headers = await asyncio.to_thread(key_login, shim, group)
        async with opened(shim, "nodes", "instances", headers=headers) as tab:
            assert tab.messages[0]["kinds"] == ["nodes", "instances"]
            assert (await call("POST", permissions, ["list_vms"]))["status"] == "OK"
            hello = await tab.until_type("hello")
            assert (hello["kinds"], hello["denied"]) == (["instances"], {"nodes": "list_nodes"})
            assert (await call("DELETE", "/api/v1/apikey", {"id": group}))["status"] == "OK"
            assert (await tab.until_end())["reason"] == "session"
        with pytest.raises(InvalidStatus) as refused:
            async with portal_tab(address_of(shim), headers=headers):
                pass
        assert refused.value.response.status_code == 401


def key_login(shim: ShimProcess, id_: str) -> dict[str, str]:
    """The cookie of a person who has logged in with the key."""
    handed = httpx.post(shim.url + "/tap/v1/hand", json={"id": id_}, timeout=PATIENCE_SECONDS)
    shake = {"id": id_, "secret": decrypt(handed.content)}
    shaken = httpx.post(shim.url + "/tap/v1/shake", json=shake, timeout=PATIENCE_SECONDS)
    page = {"X-Anka-Portal": "1", "Origin": shim.url, **bearer(shaken.json()["data"])}
    answer = httpx.post(shim.url + "/portal/v1/login", headers=page, timeout=PATIENCE_SECONDS)
    assert answer.json()["status"] == "OK", answer.text
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


async def test_a_page_of_another_site(replicas: list[ShimProcess]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with portal_tab(address_of(replicas[0]), headers={"Origin": "https://evil.example.com"}):
            pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body or b"")["status"] == "FAIL"


async def test_a_browser_that_does_not_read(replicas: list[ShimProcess]) -> None:
    """It is left behind, and REST goes on as before."""
    shim = replicas[0]
    ends = "anka_shim_portal_ends_total"
    before = metric(shim, ends)
    with slow_socket(address_of(shim)) as sock:
        sock.sendall(_opening("instances"))
        big = {"metadata": {f"key-{number}": uuid.uuid4().hex * 20 for number in range(20)}}
        ids: list[str] = []
        async with asyncio.timeout(10 * PATIENCE_SECONDS):
            while await asyncio.to_thread(metric, shim, ends) == before:
                # Incompressible, and more of it each time than it takes.
                ids += await start(shim, 40, **big)
    text = await asyncio.to_thread(lambda: shim.get("/metrics").text)
    assert 'anka_shim_portal_ends_total{reason="slow"}' in text
    assert set(ids) <= await rest_ids(shim)
    async with opened(shim, "instances") as tab:
        assert set(ids) <= tab.lists["instances"].keys()
    await terminate(shim, *ids)


@contextlib.contextmanager
def slow_socket(address: tuple[str, int]) -> Iterator[socket.socket]:
    """A WebSocket whose client reads nothing but the head of the answer, and keeps next to nothing."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(PATIENCE_SECONDS)
    with sock:
        sock.connect(address)
        sock.sendall(
            b"GET /portal/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(1)
        assert head.startswith(b"HTTP/1.1 101 "), head
        yield sock


def _opening(kind: str) -> bytes:
    """A frame, whose mask changes nothing."""
    text = json.dumps({"type": "open", "kinds": [kind]}).encode()
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text
