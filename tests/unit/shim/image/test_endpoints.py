"""Saved images as REST shows them."""

from __future__ import annotations

from anka_crds.rules.naming import is_uuid
from support.rest_images import IMAGE, save_request, start_vm
from support.shim_rig import TEMPLATE, rig


async def test_a_list_is_an_array_even_when_it_is_empty() -> None:
    async with rig() as shim:
        assert await shim.call("GET", IMAGE) == {"status": "OK", "message": "", "body": []}
        assert await shim.message("GET", IMAGE, params={"id": "nope"}) == "Not found"


async def test_one_create_and_it_can_be_read() -> None:
    async with rig() as shim:
        id_ = await start_vm(shim)
        creates = shim.api.count("create")
        made = (await shim.body("POST", IMAGE, json=save_request(id_)))["request_id"]
        assert is_uuid(made)
        assert shim.api.count("create") == creates + 1
        obj = shim.api.objects["saveimages"][("anka-ci", made)]
        wanted = {"instance": id_, "tag": "new", "targetTemplate": TEMPLATE, "ttlSecondsAfterFinished": 86400}
        assert obj["spec"] == wanted
        (listed,) = await shim.body("GET", IMAGE)
        assert listed == await shim.body("GET", IMAGE, params={"id": made})
        assert (listed["id"], listed["status"], listed["request"]["InstanceID"]) == (made, "pending", id_)
