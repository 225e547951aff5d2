"""/peer/reached: what a replica tells another about its watches."""

from __future__ import annotations

from typing import Any

import pytest

from anka_shim.replicas.client import PATH
from support.shim_rig import Rig, rig


async def ask(shim: Rig, **question: str) -> tuple[int, Any]:
    response = await shim.http.get(PATH, params={"from": "two", **question})
    return response.status_code, response.json() if response.status_code == 200 else response.text


async def test_without_a_kind_it_is_the_id() -> None:
    async with rig() as shim:
        assert await ask(shim) == (200, {"id": shim.services.peers.id})


async def test_a_version_that_the_watch_has_seen_and_one_that_does_not_come() -> None:
    async with rig() as shim:
        store = shim.services.stores.groups
        for version in ("1", "999999999"):
            code, answer = await ask(shim, kind="nodegroups", version=version, seconds="0.01")
            assert (code, answer["id"], answer["seen"]) == (200, shim.services.peers.id, store.delivered_version)


@pytest.mark.parametrize(
    "question",
    [
        {"kind": "pods", "version": "1"},
        {"kind": "nodegroups", "version": "x"},
        {"kind": "nodegroups", "version": "9" * 21},
        {"kind": "nodegroups", "version": "1", "seconds": "nan"},
        {"kind": "nodegroups", "version": "1", "seconds": "long"},
    ],
)
async def test_what_no_replica_asks(question: dict[str, str]) -> None:
    async with rig() as shim:
        assert (await ask(shim, **question))[0] == 400


async def test_only_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anka_shim.replicas.endpoints.MAX_WAITING", 0)
    async with rig() as shim:
        assert (await ask(shim, kind="nodegroups", version="1"))[0] == 503
        assert shim.services.peers.waiting == 0
