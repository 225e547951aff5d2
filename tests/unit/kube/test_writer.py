from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from anka_kube.client import KubeClient
from anka_kube.errors import Conflict, Invalid, NotFound, NotLeading
from anka_kube.resource import Resource
from anka_kube.store import Store
from anka_kube.unstructured import Meta, Unstructured, raw_resource
from anka_kube.writer import Writer
from support.scripted_api import Fault, ScriptedApi

THINGS = raw_resource("example.com", "v1", "things", "Thing", namespaced=True)
LOSSY = replace(THINGS, keeps_status=False)
STATUS = {"phase": "Started", "conditions": [{"type": "Ready", "status": "True"}], "vm": {"ip": "10.0.0.1"}}


@pytest.fixture
def store() -> Store[Unstructured]:
    return Store(THINGS)


@pytest.fixture
def writer(client: KubeClient, store: Store[Unstructured]) -> Writer[Unstructured]:
    return Writer(client, THINGS, store)


@pytest.fixture
def thing(api: ScriptedApi) -> Unstructured:
    return Unstructured.parse(api.put("things", "a", status=STATUS))


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"phase": "Started"},
        {"absent": None},
        {"vm": {"ip": "10.0.0.1", "absent": None}},
        {"conditions": [{"type": "Ready", "status": "True", "reason": None}]},
        STATUS,
    ],
)
async def test_what_changes_nothing_is_not_sent(
    api: ScriptedApi, writer: Writer[Unstructured], thing: Unstructured, status: dict[str, Any]
) -> None:
    assert await writer.patch_status(thing, status, guarded=True) is thing
    assert api.seen == []


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ({"phase": "Error"}, {**STATUS, "phase": "Error"}),
        ({"vm": None}, {"phase": "Started", "conditions": STATUS["conditions"]}),
        ({"vm": {"ip": None, "name": "x"}}, {**STATUS, "vm": {"name": "x"}}),
        ({"conditions": [{"type": "New", "reason": None}]}, {**STATUS, "conditions": [{"type": "New"}]}),
    ],
)
async def test_what_changes_something_is_in_the_store_at_once(
    api: ScriptedApi,
    writer: Writer[Unstructured],
    store: Store[Unstructured],
    thing: Unstructured,
    status: dict[str, Any],
    result: dict[str, Any],
) -> None:
    written = await writer.patch_status(thing, status, guarded=False)
    assert written.raw["status"] == result
    assert store.get("a", "default") is written
    assert api.seen[0].path.endswith("/things/a/status")
    assert len(api.seen) == 1


async def test_guarded_writes_hold_for_the_version_that_was_decided_on(
    api: ScriptedApi, writer: Writer[Unstructured], thing: Unstructured
) -> None:
    bound = await writer.patch_status(thing, {"nodeName": "m1"}, guarded=True)
    assert bound.raw["status"]["nodeName"] == "m1"
    with pytest.raises(Conflict):
        await writer.patch_status(thing, {"nodeName": "m2"}, guarded=True)
    assert api.objects["things"][("default", "a")]["status"]["nodeName"] == "m1"


@pytest.mark.parametrize(("resource", "verb"), [(THINGS, "update"), (LOSSY, "patch")])
async def test_a_guarded_status_is_put_whole_where_nothing_of_it_is_lost(
    api: ScriptedApi, client: KubeClient, resource: Resource[Unstructured], verb: str
) -> None:
    store = Store(resource)
    writer = Writer(client, resource, store)
    thing = resource.parse(api.put("things", "a", status=STATUS, spec={"size": 1}))
    bound = await writer.patch_status(
        thing, {"nodeName": "m1", "vm": None, "conditions": [{"type": "New", "reason": None}]}, guarded=True
    )
    assert bound.raw["status"] == {"phase": "Started", "nodeName": "m1", "conditions": [{"type": "New"}]}
    assert bound.raw["spec"] == {"size": 1}
    assert store.get("a", "default") is bound
    assert [(seen.verb, "spec" in seen.body) for seen in api.seen] == [(verb, False)]
    with pytest.raises(Conflict):
        await writer.patch_status(thing, {"nodeName": "m2"}, guarded=True)
    assert api.objects["things"][("default", "a")]["status"]["nodeName"] == "m1"


async def test_an_object_without_a_status_gets_its_first(api: ScriptedApi, writer: Writer[Unstructured]) -> None:
    thing = Unstructured.parse(api.put("things", "a"))
    assert await writer.patch_status(thing, {"absent": None}, guarded=True) is thing
    written = await writer.patch_status(thing, {"phase": "New"}, guarded=True)
    assert written.raw["status"] == {"phase": "New"}
    assert api.count("update") == 1


async def test_facts_are_written_whatever_else_changed(
    api: ScriptedApi, writer: Writer[Unstructured], thing: Unstructured
) -> None:
    api.put("things", "a", status=STATUS, spec={"by": "another"})
    written = await writer.patch_status(thing, {"phase": "Error"}, guarded=False)
    assert written.raw["spec"] == {"by": "another"}
    assert written.raw["status"]["phase"] == "Error"
    assert [seen.verb for seen in api.seen] == ["patch", "get", "patch"]


async def test_facts_that_another_wrote_already_are_not_written_again(
    api: ScriptedApi, writer: Writer[Unstructured], thing: Unstructured
) -> None:
    api.put("things", "a", status={"phase": "Error"})
    written = await writer.patch_status(thing, {"phase": "Error"}, guarded=False)
    assert written.raw["status"] == {"phase": "Error"}
    assert api.count("patch") == 1


@pytest.mark.parametrize("guarded", [True, False])
async def test_no_write_hits_a_successor_of_the_same_name(
    api: ScriptedApi, writer: Writer[Unstructured], thing: Unstructured, guarded: bool
) -> None:
    api.remove("things", "a")
    api.put("things", "a", status={"phase": "Scheduling"})
    words = (
        "modified" if guarded else r"^patch things\.example\.com default/a: 404 NotFound: replaced by another object"
    )
    with pytest.raises(Conflict if guarded else NotFound, match=words):
        await writer.patch_status(thing, {"phase": "Error"}, guarded=guarded)
    assert api.objects["things"][("default", "a")]["status"] == {"phase": "Scheduling"}


async def test_an_object_that_never_holds_still_is_given_up(
    api: ScriptedApi, writer: Writer[Unstructured], thing: Unstructured
) -> None:
    api.fail("patch", Fault(409, reason="Conflict"), times=100)
    with pytest.raises(Conflict, match="changed 5 times while we wrote"):
        await writer.patch_status(thing, {"phase": "Error"}, guarded=False)
    assert api.count("patch") == 5


async def test_create_patch_and_delete_show_in_the_store(
    api: ScriptedApi, writer: Writer[Unstructured], store: Store[Unstructured]
) -> None:
    meta = Meta("b", "default")
    body = {"metadata": {"name": "b", "namespace": "default", "finalizers": ["x"]}}
    created = await writer.create(Unstructured(meta, body))
    assert store.get("b", "default") is created
    left = await writer.delete(created)
    assert left is not None
    assert store.get("b", "default") is left
    released = await writer.patch(left, {"metadata": {"finalizers": None}}, guarded=False)
    assert "finalizers" not in released.raw["metadata"]
    assert api.versions("things") == {}
    assert store.get("b", "default") is None


async def test_delete_without_finalizers_takes_it_out_of_the_store(
    writer: Writer[Unstructured], store: Store[Unstructured]
) -> None:
    created = await writer.create({"metadata": {"name": "b"}}, "default")
    assert await writer.delete(created) is None
    assert len(store) == 0


async def test_delete_never_hits_a_successor_of_the_same_name(
    api: ScriptedApi, writer: Writer[Unstructured], thing: Unstructured
) -> None:
    api.remove("things", "a")
    api.put("things", "a")
    with pytest.raises(Conflict):
        await writer.delete(thing)
    assert ("default", "a") in api.versions("things")


async def test_who_does_not_lead_sends_nothing(api: ScriptedApi, client: KubeClient, thing: Unstructured) -> None:
    leading = True

    def fence() -> None:
        if not leading:
            raise NotLeading

    writer = Writer(client, THINGS, fence=fence)
    await writer.patch_status(thing, {"phase": "Error"}, guarded=False)
    leading = False
    before = len(api.seen)
    for write in (
        writer.patch_status(thing, {"phase": "Stopped"}, guarded=False),
        writer.patch_status(thing, {"phase": "Stopped"}, guarded=True),
        writer.patch(thing, {"metadata": {"labels": {"a": "b"}}}, guarded=False),
        writer.create({"metadata": {"name": "b"}}, "default"),
        writer.delete(thing),
    ):
        with pytest.raises(NotLeading, match="only the leader writes"):
            await write
    assert len(api.seen) == before


async def test_leadership_is_asked_for_before_each_try(api: ScriptedApi, client: KubeClient) -> None:
    """A conflict takes a while to sort out: meanwhile another may lead."""
    stale = Unstructured.parse(api.put("things", "a", status=STATUS))
    api.put("things", "a", status={**STATUS, "phase": "Stopped"})
    asked: list[int] = []

    def fence() -> None:
        asked.append(1)
        if len(asked) > 1:
            raise NotLeading

    with pytest.raises(NotLeading):
        await Writer(client, THINGS, fence=fence).patch_status(stale, {"phase": "Error"}, guarded=False)
    assert api.count("patch") == 1


@pytest.mark.parametrize("verb", ["patch", "update", "create"])
async def test_what_the_api_refuses_for_good_is_counted(
    api: ScriptedApi, writer: Writer[Unstructured], thing: Unstructured, verb: str
) -> None:
    def read_count() -> float:
        return REGISTRY.get_sample_value("anka_kube_refused_writes_total", {"resource": "things.example.com"}) or 0.0

    def write() -> Awaitable[object]:
        status = {"phase": "Error"}
        if verb == "create":
            return writer.create({"metadata": {"name": "new"}}, "default")
        return writer.patch_status(thing, status, guarded=verb == "update")

    before = read_count()
    for fault in (Fault(422, reason="Invalid"), Fault(413), Fault(500, message="etcdserver: request is too large")):
        api.fail(verb, fault)
        with pytest.raises(Invalid):
            await write()
    assert read_count() == before + 3
