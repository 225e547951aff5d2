"""Templates over the simulated registry, which keeps real files; nothing mirrors it here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from anka_dev.registry import seed
from anka_dev.registry.catalog import Catalog
from anka_dev.registry.server import serving
from anka_shim.schema.template import DiskOk, OneTemplateOk, TemplateListOk
from support.shim_rig import TEMPLATE, Rig, rig

VM = "/api/v1/registry/vm"
REVERT = "/api/v1/registry/revert"


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Rig]:
    for tag in ("v1", "v2"):
        seed.template(tmp_path, "macos", tag=tag, uuid=TEMPLATE, size=1000)
    async with serving(tmp_path) as url, rig(registry_url=url) as shim:
        yield shim


def in_registry(directory: Path) -> dict[str, list[str]]:
    return {held["id"]: [version["tag"] for version in held["versions"]] for held in Catalog(directory).all()}


async def tags(shim: Rig) -> list[str]:
    return [version["tag"] for version in (await shim.body("GET", f"{VM}?id={TEMPLATE}"))["versions"]]


async def test_list_and_one() -> None:
    async with rig() as shim:
        answer = await shim.call("GET", VM)
        TemplateListOk.model_validate(answer)
        figures = {"size": 0, "arch": "", "last_pull": 0, "last_push": 0}
        assert answer["body"] == [{"id": TEMPLATE, "name": "macos", **figures}]
        short = await shim.call("GET", f"{VM}?apiVer=v1")
        TemplateListOk.model_validate(short)
        assert short["body"] == [{"id": TEMPLATE, "name": "macos"}]
        OneTemplateOk.model_validate(await shim.call("GET", f"{VM}?id={TEMPLATE}&apiVer=v1"))
        assert await tags(shim) == ["v1", "v2"]
        assert await shim.message("GET", f"{VM}?id=nope") == "Not found"


@pytest.mark.parametrize(
    ("query", "body", "left"),
    [
        ("", None, ["v1"]),
        ("&number=1", None, ["v1"]),
        ("&version=0", None, []),
        ("&tag=v2", None, ["v1"]),
        ("", {"tag": "v2"}, ["v1"]),
        ("", {"version": "0"}, []),
    ],
)
async def test_revert(shim: Rig, tmp_path: Path, query: str, body: Any, left: list[str]) -> None:
    answer = await shim.call("DELETE", f"{REVERT}?id={TEMPLATE}{query}", json=body)
    assert answer == {"status": "OK", "message": "", "body": None}
    assert in_registry(tmp_path) == {TEMPLATE: left}
    # The mirror has not followed, and the answers are right all the same.
    assert await tags(shim) == left
    if left:
        assert (await shim.start(tag="v2"))["message"] == "No such tag v2"


async def test_delete(shim: Rig, tmp_path: Path) -> None:
    assert await shim.call("DELETE", f"{VM}?id={TEMPLATE}") == {"status": "OK", "message": ""}
    assert in_registry(tmp_path) == {}
    assert await shim.body("GET", VM) == []
    assert await shim.message("GET", f"{VM}?id={TEMPLATE}") == "Not found"
    assert (await shim.start())["message"] == "VM not in the registry"
    assert (await shim.start(vmid="macos"))["message"] == "VM not in the registry"


async def test_what_the_registry_refuses_is_told_in_its_words(shim: Rig, tmp_path: Path) -> None:
    assert await shim.message("DELETE", f"{REVERT}?id={TEMPLATE}&tag=nope") == "No such tag nope"
    assert await shim.message("DELETE", f"{VM}?id=nope") == "nope: not found"
    assert await shim.message("DELETE", VM) == "id: is required, the id of a template"
    assert await shim.message("DELETE", REVERT) == "id: is required, the id of a template"
    assert "exclude each other" in await shim.message("DELETE", f"{REVERT}?id={TEMPLATE}&tag=v1&number=0")
    assert in_registry(tmp_path) == {TEMPLATE: ["v1", "v2"]}
    assert await tags(shim) == ["v1", "v2"]


async def test_a_registry_that_is_away_or_not_there_at_all() -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    async with rig(registry_url=url) as shim:
        says = await shim.message("DELETE", f"{VM}?id={TEMPLATE}")
        assert says.startswith(f"cannot delete the template: registry {url} does not answer")
        assert await tags(shim) == ["v1", "v2"]
    async with rig() as shim:
        nothing = "the API shim was started without --registry-url"
        assert await shim.message("DELETE", f"{VM}?id={TEMPLATE}") == f"cannot delete the template: {nothing}"
        assert await shim.message("DELETE", f"{REVERT}?id={TEMPLATE}") == f"cannot revert the template: {nothing}"
        assert await shim.message("GET", "/api/v1/registry/disk") == f"the registry's disk is not known: {nothing}"


@pytest.mark.parametrize(
    ("after", "left"),
    [
        ({"status": "FAIL", "message": "gone"}, None),  # it had no other version
        ({"status": "SURPRISE"}, ["v1", "v2"]),  # nothing is known: the mirror will tell
    ],
)
async def test_a_revert_after_which_the_template_can_not_be_read(after: dict[str, Any], left: list[str] | None) -> None:
    async def revert(_: web.Request) -> web.Response:
        return web.json_response({"status": "OK", "message": "", "body": None})

    async def read(_: web.Request) -> web.Response:
        return web.json_response(after if after["status"] == "FAIL" else ["odd"])

    app = web.Application()
    app.router.add_delete("/registry/revert", revert)
    app.router.add_get("/registry/v2/vm", read)
    async with TestServer(app) as server, rig(registry_url=str(server.make_url(""))) as shim:
        assert await shim.call("DELETE", f"{REVERT}?id={TEMPLATE}") == {"status": "OK", "message": "", "body": None}
        if left is None:
            assert await shim.message("GET", f"{VM}?id={TEMPLATE}") == "Not found"
        else:
            assert await tags(shim) == left


async def test_disk(shim: Rig) -> None:
    async def looked() -> None:
        while shim.services.registry.disk is None:
            await shim.http.get("/livez")

    await asyncio.wait_for(looked(), 10)
    answer = await shim.call("GET", "/api/v1/registry/disk")
    DiskOk.model_validate(answer)
    assert answer["body"]["total"] >= answer["body"]["free"] > 0


async def test_before_the_caches_are_read_nothing_is_said() -> None:
    async with rig(synced=False) as shim:
        for method, path in (("GET", VM), ("DELETE", f"{VM}?id={TEMPLATE}"), ("DELETE", f"{REVERT}?id={TEMPLATE}")):
            assert (await shim.message(method, path)).startswith("starting up")
