"""Distributions of templates through REST."""

from __future__ import annotations

import httpx

from anka_crds.rules.naming import is_uuid
from anka_shim.distribution.answer import DistributionListOk, DistributionOk, RemovalOk
from support.rest_distributions import PATH, get_stored, request_distribution
from support.shim_rig import TEMPLATE, Rig, rig

REMOVE = "/api/v1/registry/vm/remove"


async def test_a_life() -> None:
    async with rig() as shim:
        id_ = await request_distribution(shim, tag="v1")
        assert is_uuid(id_)
        assert shim.api.count("create") == 1
        assert get_stored(shim, id_)["spec"] == {"template": TEMPLATE, "tag": "v1", "ttlSecondsAfterFinished": 86400}
        one = await shim.call("GET", f"{PATH}?id={id_}")
        DistributionOk.model_validate(one)
        assert one["body"]["distribute_status"] == {"mac-1": {"progress": 0, "status": False}}
        listed = await shim.call("GET", PATH)
        DistributionListOk.model_validate(listed)
        assert listed["body"] == [one["body"]]
        assert await shim.call("DELETE", f"{PATH}?id={id_}") == {"status": "OK", "message": ""}
        assert get_stored(shim, id_)["spec"]["cancelled"] is True
        await shim.body("DELETE", PATH, json={"request_id": id_})
        assert shim.api.count("patch") == 1


async def hold(shim: Rig, node: str) -> None:
    held = {"templates": [{"uuid": TEMPLATE, "name": "macos", "tag": "v1"}]}
    shim.api.put("ankanodes", node, "", spec={}, status=held)
    await shim.services.stores.nodes.wait_for(
        lambda store: (seen := store.get(node)) is not None and bool(seen.status.templates), 5
    )


async def test_removal() -> None:
    async with rig() as shim:
        nobody = await shim.call("DELETE", f"{REMOVE}?id={TEMPLATE}")
        RemovalOk.model_validate(nobody)
        assert nobody["body"] == {"requests_sent": 0, "node_ids": []}
        await hold(shim, "mac-1")
        await hold(shim, "mac-2")
        all_of_them = await shim.body("DELETE", f"{REMOVE}?id={TEMPLATE}")
        assert all_of_them == {"requests_sent": 2, "node_ids": ["mac-1", "mac-2"]}
        for given in (
            {"params": {"id": TEMPLATE, "node_ids": "mac-2"}},
            {"params": {"id": TEMPLATE}, "json": {"node_ids": ["mac-2"]}},
            {"json": {"id": TEMPLATE, "node_ids": ["mac-2"]}},
        ):
            assert (await shim.body("DELETE", REMOVE, **given))["node_ids"] == ["mac-2"]
        assert shim.api.count("create") == 4
        (one, *_) = shim.api.objects["templatedistributions"].values()
        assert one["spec"]["action"] == "Remove"
        # It is none of the distributions.
        assert await shim.body("GET", PATH) == []
        name = one["metadata"]["name"]
        assert await shim.message("GET", f"{PATH}?id={name}") == "Not found"
        assert await shim.message("DELETE", f"{PATH}?id={name}") == "Not found"
        assert await shim.message("DELETE", f"{REMOVE}?id=nope") == "Not found"
        assert await shim.message("DELETE", REMOVE) == "id: is required, the id of a template"


async def test_as_curl_sends_it() -> None:
    async with rig() as shim:
        response: httpx.Response = await shim.http.post(
            PATH,
            content=f'{{"template_id": "{TEMPLATE}", "node_ids": ["mac-1"]}}',
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert response.json()["status"] == "OK"
