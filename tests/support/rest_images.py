"""VMs and requests to save them, as tests of /api/v1/image need them."""

from __future__ import annotations

import asyncio
from typing import Any

from support.shim_rig import TEMPLATE, Rig

IMAGE = "/api/v1/image"


VM = {"uuid": "vm-1", "name": "mgmtManaged-x", "status": "running"}


async def start_vm(shim: Rig, phase: str = "Started") -> str:
    (id_,) = (await shim.start())["body"]
    await put_instance(shim, id_, phase)
    return str(id_)


async def put_instance(shim: Rig, id_: str, phase: str) -> None:
    obj = shim.api.objects["ankainstances"][("anka-ci", id_)]
    seen = asyncio.Event()
    shim.services.stores.instances.subscribe(lambda *_: seen.set())
    fields = {"spec": obj["spec"], "metadata": {"finalizers": obj["metadata"]["finalizers"]}}
    status = {"phase": phase, "nodeName": "mac-1", "vm": VM}
    shim.api.put("ankainstances", id_, "anka-ci", status=status, **fields)
    await asyncio.wait_for(seen.wait(), 60)


def save_request(id_: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "target_vm_id": TEMPLATE, "tag": "new", **more}
