"""Distributions that cannot be made or cancelled."""

from __future__ import annotations

from support.rest_distributions import PATH, get_stored, request_distribution
from support.scripted_api import Fault
from support.shim_rig import TEMPLATE, rig


async def test_one_that_is_over_is_not_cancelled() -> None:
    async with rig() as shim:
        shim.api.put("templatedistributions", "done", "", spec={"template": TEMPLATE}, status={"phase": "Done"})
        await shim.services.stores.distributions.wait_for(lambda store: store.get("done"), 60)
        await shim.body("DELETE", f"{PATH}?id=done")
        assert shim.api.count("patch") == 0


async def test_unknown_ones() -> None:
    async with rig() as shim:
        assert await shim.message("GET", f"{PATH}?id=nope") == "Not found"
        assert await shim.message("DELETE", f"{PATH}?id=nope") == "Not found"
        assert await shim.message("DELETE", PATH) == "id: is required, the id of a distribution request"
        assert await shim.message("POST", PATH, json={"template_id": TEMPLATE, "tag": "nope"}) == "No such tag nope"
        assert shim.api.count("create") == 0


async def test_one_that_another_replica_made_just_now_can_be_cancelled() -> None:
    async with rig() as shim:
        id_ = await request_distribution(shim)
        shim.services.stores.distributions.replace([], "", shim.services.stores.distributions.begin_list())
        await shim.body("DELETE", f"{PATH}?id={id_}")
        assert get_stored(shim, id_)["spec"]["cancelled"] is True


async def test_an_api_that_refuses() -> None:
    async with rig() as shim:
        shim.api.fail("create", Fault(403, reason="Forbidden", message="no"))
        message = await shim.message("POST", PATH, json={"template_id": TEMPLATE})
        assert message == "cannot distribute the template: not allowed: no"
