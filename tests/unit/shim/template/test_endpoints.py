"""Templates as REST shows them, over the simulated registry."""

from __future__ import annotations

import asyncio

from anka_shim.template.answer import DiskOk, OneTemplateOk, TemplateListOk
from support.shim_rig import TEMPLATE, Rig, rig

VM = "/api/v1/registry/vm"


REVERT = "/api/v1/registry/revert"


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
