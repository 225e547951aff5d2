"""Requests to save an image."""

from __future__ import annotations

import pytest

from anka_shim.settings import ShimSettings
from support.rest_images import IMAGE, put_instance, save_request, start_vm
from support.scripted_api import Fault
from support.shim_rig import TEMPLATE, rig


async def test_a_template_by_its_name() -> None:
    async with rig() as shim:
        id_ = await start_vm(shim)
        made = (await shim.body("POST", IMAGE, json=save_request(id_, target_vm_id="macos")))["request_id"]
        assert shim.api.objects["saveimages"][("anka-ci", made)]["spec"]["targetTemplate"] == TEMPLATE


async def test_the_same_again_is_the_same_request() -> None:
    async with rig() as shim:
        id_ = await start_vm(shim)
        made = await shim.body("POST", IMAGE, json=save_request(id_))
        creates = shim.api.count("create")
        assert await shim.body("POST", IMAGE, json=save_request(id_)) == made
        # Meanwhile it has been taken up.
        await put_instance(shim, id_, "Pushing")
        assert await shim.body("POST", IMAGE, json=save_request(id_)) == made
        says = await shim.message("POST", IMAGE, json=save_request(id_, tag="other"))
        assert says == f"the VM is being saved already, as request {made['request_id']}"
        assert shim.api.count("create") == creates


@pytest.mark.parametrize("phase", ["Scheduling", "Pulling", "Stopped", "Error", "Pushing"])
async def test_only_what_runs_can_be_saved(phase: str) -> None:
    async with rig() as shim:
        id_ = await start_vm(shim, phase)
        says = await shim.message("POST", IMAGE, json=save_request(id_))
        assert says == f"the VM can't be saved: it is {phase}, and must be Started"


async def test_what_is_refused() -> None:
    async with rig() as shim:
        id_ = await start_vm(shim)
        creates = shim.api.count("create")
        assert await shim.message("POST", IMAGE) == "id: is required, the id of an instance"
        assert await shim.message("POST", IMAGE, json=save_request("nope")) == "Not found"
        assert await shim.message("POST", IMAGE, json={"id": id_}) == "tag: is required, the name of the tag to make"
        says = await shim.message("POST", IMAGE, json=save_request(id_, target_vm_id="nope"))
        assert says == "VM not in the registry"
        assert shim.api.count("create") == creates
        shim.api.fail("create", Fault(403, "may not", "Forbidden"))
        assert (await shim.message("POST", IMAGE, json=save_request(id_))).startswith("cannot save the VM: ")
        assert await shim.body("GET", IMAGE) == []


async def test_images_may_go_to_another_registry() -> None:
    async with rig(push_registry="http://push:8089/") as shim:
        id_ = await start_vm(shim)
        made = (await shim.body("POST", IMAGE, json=save_request(id_)))["request_id"]
        assert shim.api.objects["saveimages"][("anka-ci", made)]["spec"]["registry"] == "http://push:8089"
        assert (await shim.body("POST", IMAGE, json=save_request(id_)))["request_id"] == made
    async with rig() as shim:
        id_ = await start_vm(shim)
        made = (await shim.body("POST", IMAGE, json=save_request(id_)))["request_id"]
        assert "registry" not in shim.api.objects["saveimages"][("anka-ci", made)]["spec"]


@pytest.mark.parametrize("url", ["push:8089", "http://user:word@push", "ftp://push", "http://pu sh"])
async def test_what_is_no_registry(url: str) -> None:
    with pytest.raises(ValueError, match="must be a URL that begins with http:// or https://, without a login in it"):
        ShimSettings(_cli_parse_args=False, push_registry=url)
