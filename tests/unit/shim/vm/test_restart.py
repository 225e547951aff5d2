from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.scripted_api import Fault
from support.shim_rig import Rig, rig

RESTART = "/api/v1/rpc/vm/restart"


async def started(shim: Rig, phase: str = "Started") -> str:
    (id_,) = (await shim.start())["body"]
    obj = shim.api.objects["ankainstances"][("anka-ci", id_)]
    seen = asyncio.Event()
    shim.services.stores.instances.subscribe(lambda *_: seen.set())
    fields = {"spec": obj["spec"], "metadata": {"finalizers": obj["metadata"]["finalizers"]}}
    shim.api.put("ankainstances", id_, "anka-ci", status={"phase": phase, "nodeName": "mac-1"}, **fields)
    await asyncio.wait_for(seen.wait(), 60)
    return str(id_)


@pytest.mark.parametrize("phase", ["Started", "Stopped"])
@pytest.mark.parametrize("how", ["id", "instance_id", "query", "content"])
async def test_by_every_spelling(phase: str, how: str) -> None:
    async with rig() as shim:
        id_ = await started(shim, phase)
        spellings: dict[str, dict[str, Any]] = {
            "id": {"json": {"id": id_, "vnc_password": "x", "usb_device": 5}},
            "instance_id": {"json": {"instance_id": id_}},
            "query": {"params": {"id": id_}},
            "content": {"content": f'{{"instance_id": "{id_}"}}', "headers": {"Content-Type": "text/plain"}},
        }
        options = spellings[how]
        writes = shim.api.count("patch")
        assert await shim.call("POST", RESTART, **options) == {"status": "OK", "message": ""}
        assert shim.api.count("patch") == writes + 1
        spec = shim.api.objects["ankainstances"][("anka-ci", id_)]["spec"]
        assert spec["restartedAt"] == "2026-01-01T00:00:00Z"
        given = {name: spec.get(name) for name in ("vncPassword", "usbDevice")}
        assert given == ({"vncPassword": "x", "usbDevice": "5"} if how == "id" else dict.fromkeys(given))


async def test_what_can_not_be_restarted() -> None:
    async with rig() as shim:
        (id_,) = (await shim.start())["body"]
        says = "the VM can't be restarted: it is {}, and must be Started or Stopped"
        assert await shim.message("POST", RESTART, json={"id": id_}) == says.format("Scheduling")
        ending = await started(shim)
        await shim.body("DELETE", "/api/v1/vm", json={"id": ending})
        assert await shim.message("POST", RESTART, json={"id": ending}) == says.format("Terminating")
        gone = asyncio.Event()
        shim.services.stores.instances.subscribe(lambda kind, *_: gone.set() if kind == "DELETED" else None)
        shim.api.remove("ankainstances", ending, "anka-ci")
        await asyncio.wait_for(gone.wait(), 60)
        assert await shim.message("POST", RESTART, json={"id": ending}) == says.format("Terminated")
        assert await shim.message("POST", RESTART, json={"id": "nope"}) == "Not found"
        assert await shim.message("POST", RESTART) == "id: is required, the id of an instance"
        assert shim.api.count("patch") == 0


async def test_what_the_api_refuses_is_told() -> None:
    async with rig() as shim:
        id_ = await started(shim)
        shim.api.fail("patch", Fault(403, "may not", "Forbidden"))
        message = await shim.message("POST", RESTART, json={"id": id_})
        assert message.startswith("cannot restart the VM: ")
