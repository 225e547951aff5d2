"""Who asks is on all that is made for them, and nowhere else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from starlette.types import Scope

from anka_crds.api.meta import REQUESTED_BY
from anka_shim.http.authentication import OpenAccess, Principal
from anka_shim.http.rights import Right
from anka_shim.requester import LONGEST, requested_by, requester_annotations
from support.api_keys import with_keys
from support.rsa_keys import PUBLIC
from support.shim_rig import TEMPLATE, TIMES, rig


class Everybody(OpenAccess):
    """Whoever asks is the same user, who may do everything."""

    async def admit(self, scope: Scope, right: Right) -> Principal:
        return Principal("me")


async def test_it_holds_inside_and_for_tasks_that_begin_there() -> None:
    async def ask() -> dict[str, str]:
        return requester_annotations()

    assert requester_annotations() == {}
    with requested_by("jenkins"):
        assert requester_annotations() == {REQUESTED_BY: "jenkins"}
        task = asyncio.create_task(ask())
    assert await task == {REQUESTED_BY: "jenkins"}
    assert requester_annotations() == {}


def test_a_name_is_never_longer_than_we_say() -> None:
    with requested_by("x" * 10_000):
        assert len(requester_annotations()[REQUESTED_BY]) == LONGEST


async def test_all_that_rest_makes_says_who_asked(tmp_path: Path) -> None:
    """A new route that makes something must have a case here."""
    async with with_keys(tmp_path, policy=Everybody()) as shim:
        shim.api.put(
            "ankainstances", "vm", "anka-ci", spec={"template": TEMPLATE}, status={"phase": "Started"}, metadata=TIMES
        )
        stores = shim.services.stores
        id_ = stores.id_of(await stores.instances.wait_for(lambda store: store.get("vm", "anka-ci"), 10))
        made: list[tuple[str, str, dict[str, Any]]] = [
            ("ankainstances", "/api/v1/vm", {"vmid": TEMPLATE}),
            ("nodegroups", "/api/v1/group", {"name": "g"}),
            ("templatedistributions", "/api/v1/registry/vm/distribute", {"template_id": TEMPLATE, "tag": "v1"}),
            ("saveimages", "/api/v1/image", {"id": id_, "tag": "t", "target_vm_id": TEMPLATE}),
            ("apikeys", "/api/v1/apikey", {"id": "k", "ttl": 60, "groups": [], "publicKey": PUBLIC}),
        ]
        for plural, path, body in made:
            before = set(shim.api.objects[plural])
            answer = await shim.http.post(path, json=body)
            assert answer.json()["status"] == "OK", answer.text
            (new,) = set(shim.api.objects[plural]) - before
            assert shim.api.objects[plural][new]["metadata"]["annotations"] == {REQUESTED_BY: "me"}, plural
        assert shim.api.count("create") == len(made)


async def test_without_login_nothing_is_said() -> None:
    async with rig() as shim:
        await shim.start()
        (new,) = shim.api.objects["ankainstances"].values()
        assert "annotations" not in new["metadata"]
