"""Events of one object."""

from __future__ import annotations

import pytest

from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_shim.failure import Failure
from anka_shim.portal.detail.event_reader import EventReader
from support.scripted_api import Fault, ScriptedApi


async def test_of_this_object_where_it_is() -> None:
    async with ScriptedApi().serve() as api, KubeClient(Endpoint(server=api.url)) as client:
        api.put("events", "one", "anka-ci", involvedObject={"uid": "u"}, reason="Failed")
        reader = EventReader(client)
        assert [event["reason"] for event in await reader.read("u", "anka-ci")] == ["Failed"]
        assert api.seen[-1].query["fieldSelector"] == "involvedObject.uid=u"
        assert await reader.read("u", None) == []
        assert api.seen[-1].path == "/api/v1/namespaces/default/events"


async def test_what_is_refused() -> None:
    async with ScriptedApi().serve() as api, KubeClient(Endpoint(server=api.url)) as client:
        api.fail("list", Fault(403, reason="Forbidden"))
        with pytest.raises(Failure, match="may not list Events in namespace anka-ci"):
            await EventReader(client).read("u", "anka-ci")
        api.missing.add("events")
        with pytest.raises(Failure, match="the Events are not known: "):
            await EventReader(client).read("u", "anka-ci")
