"""One object over HTTP."""

from __future__ import annotations

import pytest
import yaml
from starlette.types import Scope

from anka_shim.failure import Failure
from anka_shim.http.authentication import OpenAccess, Principal
from anka_shim.http.rights import Right
from anka_shim.portal.detail.request import OBJECT_RIGHTS
from support.scripted_api import Fault
from support.shim_rig import TEMPLATE, rig

PATH = "/portal/v1/object"


async def test_yaml_and_events() -> None:
    async with rig() as shim:
        (id_,) = (await shim.start(vnc_password="hush-hush"))["body"]
        instance = shim.services.stores.instance(id_)
        assert instance is not None
        about = {"uid": instance.metadata.uid}
        shim.api.put(
            "events", "e", "anka-ci", involvedObject=about, reason="Unschedulable", lastTimestamp="2026-01-01T10:00:00Z"
        )
        found = await shim.body("GET", f"{PATH}?kind=instances&id={id_}")
        assert yaml.safe_load(found["yaml"]) == found["object"]
        assert found["object"]["spec"]["vncPassword"] == "(hidden)"
        assert [event["reason"] for event in found["events"]] == ["Unschedulable"]
        assert "eventsProblem" not in found


@pytest.mark.parametrize(("kind", "id_"), [("nodes", "mac-1"), ("groups", "ios"), ("templates", TEMPLATE)])
async def test_of_other_kinds(kind: str, id_: str) -> None:
    async with rig() as shim:
        found = await shim.body("GET", f"{PATH}?kind={kind}&id={id_}")
        assert found["object"]["metadata"]["name"] == id_


@pytest.mark.parametrize("kind", OBJECT_RIGHTS)
async def test_an_unknown_one(kind: str) -> None:
    async with rig() as shim:
        assert await shim.message("GET", f"{PATH}?kind={kind}&id=nope") == "Not found"


async def test_without_its_events() -> None:
    async with rig() as shim:
        shim.api.fail("list", Fault(403, reason="Forbidden"))
        found = await shim.body("GET", f"{PATH}?kind=nodes&id=mac-1")
        assert found["events"] == []
        assert found["eventsProblem"] == "the shim may not list Events in namespace default: it needs a Role there"


class May(OpenAccess):
    def __init__(self, *rights: Right) -> None:
        self._rights = rights

    async def admit(self, scope: Scope, right: Right) -> Principal:
        if right not in self._rights:
            raise Failure("Not authorized to perform this request", code=403)
        return Principal("me")


@pytest.mark.parametrize("kind", OBJECT_RIGHTS)
async def test_it_needs_the_right_to_list_the_kind(kind: str) -> None:
    async with rig(policy=May(Right.LOGIN, *(set(OBJECT_RIGHTS.values()) - {OBJECT_RIGHTS[kind]}))) as shim:
        assert (await shim.http.get(f"{PATH}?kind={kind}&id=nope")).status_code == 403
    async with rig(policy=May(Right.LOGIN, OBJECT_RIGHTS[kind])) as shim:
        assert (await shim.http.get(f"{PATH}?kind={kind}&id=nope")).json()["message"] == "Not found"
