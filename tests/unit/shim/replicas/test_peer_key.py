"""Replicas that share a key, and everything else that reaches the port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_shim.replicas.client import PATH, PeerClient
from anka_shim.replicas.peer import PeerError
from anka_shim.replicas.peer_key import PeerKey
from anka_shim.replicas.signature import HEADER
from support.manual_clock import ManualClock
from support.shim_rig import Rig, rig

QUERY = "from=two&kind=nodegroups&version=1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("k" * 32)
    return path


@asynccontextmanager
async def line(shim: Rig, key: PeerKey | None, *, spoil: bool = False) -> AsyncIterator[tuple[PeerClient, str, int]]:
    """A client, and the address of the shim. `spoil`: somebody changes its answers on the way."""

    async def forward(request: web.Request) -> web.Response:
        signed = {HEADER: request.headers[HEADER]} if HEADER in request.headers else {}
        answer = await shim.http.get(request.path_qs, headers=signed)
        body = answer.content.replace(b'"seen":"', b'"seen":"9') if spoil else answer.content
        kept = {HEADER: answer.headers[HEADER]} if HEADER in answer.headers else {}
        return web.Response(status=answer.status_code, body=body, headers=kept)

    app = web.Application()
    app.router.add_get(PATH, forward)
    async with TestServer(app) as server, PeerClient(5.0, key) as client:
        yield client, "127.0.0.1", int(server.port or 0)


async def test_replicas_with_the_same_key(file: Path) -> None:
    key = PeerKey(file, ManualClock())
    async with rig(peer_key_file=file) as shim, line(shim, key) as (client, host, port):
        assert await client.identify((host, port), "me") == shim.services.peers.id
        seen = await client.read_version((host, port), "me", "nodegroups", 1)
        assert str(seen) == shim.services.stores.groups.delivered_version


async def test_a_changed_answer_and_one_of_another_key(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("o" * 32)
    async with rig(peer_key_file=file) as shim:
        async with line(shim, PeerKey(file, ManualClock()), spoil=True) as (client, host, port):
            with pytest.raises(PeerError, match="not signed with our --peer-key-file"):
                await client.read_version((host, port), "me", "nodegroups", 1)
        for key in (None, PeerKey(other, ManualClock())):
            async with line(shim, key) as (client, host, port):
                with pytest.raises(PeerError, match="it answers HTTP 401"):
                    await client.identify((host, port), "me")
    async with rig() as shim, line(shim, PeerKey(file, ManualClock())) as (client, host, port):
        with pytest.raises(PeerError, match="not signed with our"):
            await client.identify((host, port), "me")


async def test_what_is_forged_or_replayed_is_refused_and_has_no_effect(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = PeerKey(file, ManualClock())
    async with rig(peer_key_file=file) as shim:
        contacts: list[str] = []
        monkeypatch.setattr(shim.services.peers, "on_contact", contacts.append)
        good = key.sign_question("GET", f"{PATH}?{QUERY}")
        assert (await shim.http.get(f"{PATH}?{QUERY}", headers={HEADER: good})).status_code == 200
        assert contacts == ["two"]
        for query, header in (
            (QUERY, good),
            (QUERY, ""),
            (QUERY, "x"),
            (QUERY, good[:-1] + ("0" if good[-1] != "0" else "1")),
            (QUERY.replace("two", "one"), key.sign_question("GET", f"{PATH}?{QUERY}")),
            (QUERY, key.sign_question("POST", f"{PATH}?{QUERY}")),
        ):
            answer = await shim.http.get(f"{PATH}?{query}", headers={HEADER: header})
            assert answer.status_code == 401
            assert HEADER not in answer.headers
        assert contacts == ["two"]
        assert shim.services.peers.waiting == 0
