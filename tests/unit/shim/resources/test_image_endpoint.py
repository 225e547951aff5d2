from __future__ import annotations

import asyncio
from typing import Any

import pytest

from anka_crds.core.naming import is_uuid
from support.scripted_api import Fault
from support.shim_rig import TEMPLATE, Rig, rig

IMAGE = "/api/v1/image"
VM = {"uuid": "vm-1", "name": "mgmtManaged-x", "status": "running"}


async def running(shim: Rig, phase: str = "Started") -> str:
    (id_,) = (await shim.start())["body"]
    await put(shim, id_, phase)
    return str(id_)


async def put(shim: Rig, id_: str, phase: str) -> None:
    obj = shim.api.objects["ankainstances"][("anka-ci", id_)]
    seen = asyncio.Event()
    shim.services.stores.instances.subscribe(lambda *_: seen.set())
    fields = {"spec": obj["spec"], "metadata": {"finalizers": obj["metadata"]["finalizers"]}}
    status = {"phase": phase, "nodeName": "mac-1", "vm": VM}
    shim.api.put("ankainstances", id_, "anka-ci", status=status, **fields)
    await asyncio.wait_for(seen.wait(), 5)


def request(id_: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "target_vm_id": TEMPLATE, "tag": "new", **more}


async def test_a_list_is_an_array_even_when_it_is_empty() -> None:
    async with rig() as shim:
        assert await shim.call("GET", IMAGE) == {"status": "OK", "message": "", "body": []}
        assert await shim.message("GET", IMAGE, params={"id": "nope"}) == "Not found"


async def test_one_create_and_it_can_be_read() -> None:
    async with rig() as shim:
        id_ = await running(shim)
        creates = shim.api.count("create")
        made = (await shim.body("POST", IMAGE, json=request(id_)))["request_id"]
        assert is_uuid(made)
        assert shim.api.count("create") == creates + 1
        obj = shim.api.objects["saveimages"][("anka-ci", made)]
        wanted = {"instance": id_, "tag": "new", "targetTemplate": TEMPLATE, "ttlSecondsAfterFinished": 86400}
        assert obj["spec"] == wanted
        (listed,) = await shim.body("GET", IMAGE)
        assert listed == await shim.body("GET", IMAGE, params={"id": made})
        assert (listed["id"], listed["status"], listed["request"]["InstanceID"]) == (made, "pending", id_)


async def test_a_template_by_its_name() -> None:
    async with rig() as shim:
        id_ = await running(shim)
        made = (await shim.body("POST", IMAGE, json=request(id_, target_vm_id="macos")))["request_id"]
        assert shim.api.objects["saveimages"][("anka-ci", made)]["spec"]["targetTemplate"] == TEMPLATE


async def test_the_same_again_is_the_same_request() -> None:
    async with rig() as shim:
        id_ = await running(shim)
        made = await shim.body("POST", IMAGE, json=request(id_))
        creates = shim.api.count("create")
        assert await shim.body("POST", IMAGE, json=request(id_)) == made
        # Meanwhile it has been taken up.
        await put(shim, id_, "Pushing")
        assert await shim.body("POST", IMAGE, json=request(id_)) == made
        says = await shim.message("POST", IMAGE, json=request(id_, tag="other"))
        assert says == f"the VM is being saved already, as request {made['request_id']}"
        assert shim.api.count("create") == creates


@pytest.mark.parametrize("phase", ["Scheduling", "Pulling", "Stopped", "Error", "Pushing"])
async def test_only_what_runs_can_be_saved(phase: str) -> None:
    async with rig() as shim:
        id_ = await running(shim, phase)
        says = await shim.message("POST", IMAGE, json=request(id_))
        assert says == f"the VM can't be saved: it is {phase}, and must be Started"


async def test_what_is_refused() -> None:
    async with rig() as shim:
        id_ = await running(shim)
        creates = shim.api.count("create")
        assert await shim.message("POST", IMAGE) == "id: is required, the id of an instance"
        assert await shim.message("POST", IMAGE, json=request("nope")) == "Not found"
        assert await shim.message("POST", IMAGE, json={"id": id_}) == "tag: is required, the name of the tag to make"
        says = await shim.message("POST", IMAGE, json=request(id_, target_vm_id="nope"))
        assert says == "VM not in the registry"
        assert shim.api.count("create") == creates
        shim.api.fail("create", Fault(403, "may not", "Forbidden"))
        assert (await shim.message("POST", IMAGE, json=request(id_))).startswith("cannot save the VM: ")
        assert await shim.body("GET", IMAGE) == []
