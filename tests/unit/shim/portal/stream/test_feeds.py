"""Every kind of row, of objects as the API has them, and what makes them change."""

from __future__ import annotations

import json
from typing import Any

from anka_shim.portal.kinds import KIND_RIGHTS
from support.shim_rig import TEMPLATE, TIMES, Rig, rig


def rows(shim: Rig, kind: str) -> dict[str, Any]:
    feed = shim.services.hub.feeds[kind]
    return {id_: json.loads(row) for id_ in feed.ids() if (row := feed.row(id_)) is not None}


async def test_kinds_that_are_not_watched_have_no_list() -> None:
    async with rig() as shim:
        assert shim.services.hub.feeds.keys() == KIND_RIGHTS.keys() - {"apiKeys", "permissionGroups", "macPools"}


async def test_a_row_of_every_kind() -> None:
    async with rig(manage_mac_addresses=True) as shim:
        stores = shim.services.stores
        distribution = {"template": "macos", "group": "iOS builds"}
        shim.api.put("templatedistributions", "d", "", spec=distribution, metadata=TIMES)
        save = {"instance": "i", "tag": "v3", "targetTemplate": "macos"}
        shim.api.put("saveimages", "s", "anka-ci", spec=save, metadata={**TIMES, "uid": "save-uid"})
        shim.api.put("ankainstances", "i", "anka-ci", spec={"template": "macos", "group": "iOS builds"}, metadata=TIMES)
        ranges = [{"first": "02:00:00:00:00:00", "last": "02:00:00:00:00:0F"}]
        for store in (stores.distributions, stores.saves, stores.instances):
            await store.wait_for(lambda store: len(store) == 1, 60)
        shim.api.put("macaddresspools", "p", "", spec={"ranges": ranges}, metadata=TIMES)
        await stores.pools.wait_for(lambda store: len(store) == 1, 60)
        (distributed,) = rows(shim, "distributions").values()
        assert distributed["template"] == {"id": TEMPLATE, "name": "macos"}
        assert distributed["group"] == "ios"
        (saved,) = rows(shim, "saves").values()
        assert (saved["id"], saved["targetTemplate"], saved["phase"]) == ("save-uid", TEMPLATE, "Pending")
        (instance,) = rows(shim, "instances").values()
        assert (instance["template"]["name"], instance["group"]) == ("macos", "ios")
        (pool,) = rows(shim, "macPools").values()
        assert pool["ranges"] == ranges
        assert rows(shim, "cloud")["cloud"]["replicas"] == {"total": 1, "reached": 1}
        node = rows(shim, "nodes")["mac-1"]
        assert (node["state"], node["usage"]["vms"], node["groups"]) == ("Active", 0, ["ios"])


async def test_a_group_that_is_renamed_changes_who_names_it() -> None:
    async with rig() as shim:
        hub, stores = shim.services.hub, shim.services.stores
        shim.api.put("ankainstances", "i", "anka-ci", spec={"template": "macos", "group": "new"}, metadata=TIMES)
        await stores.instances.wait_for(lambda store: len(store) == 1, 60)
        (instance,) = rows(shim, "instances").values()
        assert instance["group"] == "new"
        shim.api.put("nodegroups", "ios", "", spec={"displayName": "new"}, metadata=TIMES)
        await stores.groups.wait_for(lambda _: stores.groups_named("new"), 60)
        while (change := hub.feeds["instances"].flush()) is not None:
            assert change.ids == {instance["id"]}
        assert rows(shim, "instances")[instance["id"]]["group"] == "ios"


async def test_what_runs_on_a_node_changes_its_row() -> None:
    async with rig() as shim:
        hub, stores = shim.services.hub, shim.services.stores
        rows(shim, "nodes")
        status = {"nodeName": "mac-1", "phase": "Started"}
        shim.api.put("ankainstances", "i", "anka-ci", spec={"template": "macos"}, status=status, metadata=TIMES)
        await stores.instances.wait_for(lambda store: len(store) == 1, 60)
        while hub.feeds["nodes"].flush() is not None:
            pass
        assert rows(shim, "nodes")["mac-1"]["usage"]["vms"] == 1
