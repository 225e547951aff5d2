from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

from anka_crds.rules.naming import is_uuid
from anka_shim.http.answer import Failed
from anka_shim.vm.answer import OneVmOk, StartedOk, VmListOk
from support.scripted_api import Fault
from support.shim_rig import TEMPLATE, rig

UNKNOWN = "c12ccfa5-8757-411e-9505-12819000000e"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a shim would still undo when it ends, it leaves: its API ends with it."""
    monkeypatch.setattr("anka_shim.assembly.ROLLBACK_SECONDS", 0.0)


async def test_start_makes_one_write_for_each_and_shows_them_at_once() -> None:
    async with rig() as shim:
        answer = await shim.start(count=3, tag="v1", external_id="job-1", group_id="iOS builds")
        StartedOk.model_validate(answer)
        ids = answer["body"]
        assert len(set(ids)) == 3
        assert all(is_uuid(id_) for id_ in ids)
        reads = await shim.body("GET", "/api/v1/vm")
        assert {element["instance_id"] for element in reads} == set(ids)
        one = await shim.body("GET", f"/api/v1/vm?id={ids[0]}")
        assert (one["instance_state"], one["vmid"], one["tag"]) == ("Scheduling", TEMPLATE, "v1")
        assert one["group_id"] == "ios"
        assert shim.api.count("create") == 3
        assert all(shim.api.count(verb) == 0 for verb in ("get", "patch", "update", "delete"))
        made = shim.api.objects["ankainstances"][("anka-ci", ids[0])]
        assert made["metadata"]["finalizers"] == ["anka.veertu.com/vm"]
        created = [seen for seen in shim.api.seen if seen.verb == "create"]
        assert {seen.query["fieldValidation"] for seen in created} == {"Strict"}


async def test_reads_never_ask_the_api() -> None:
    """Except for heartbeats, which all who look at nodes within some seconds share."""
    async with rig() as shim:
        await shim.start()
        before = len(shim.api.seen)
        for path in ("/api/v1/vm", "/api/v1/vm?id=x", "/api/v1/node", "/api/v1/node?id=mac-1", "/api/v1/status"):
            await shim.call("GET", path)
            await shim.call("GET", path)
        assert [(seen.verb, seen.path.rpartition("/")[2]) for seen in shim.api.seen[before:]] == [("list", "leases")]


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"vmid": "nope"}, "VM not in the registry"),
        ({"vmid": TEMPLATE, "tag": "v9"}, "No such tag v9"),
        ({}, "vmid: is required, the UUID of the template to start"),
        ({"vmid": TEMPLATE, "count": 101}, "count: must be from 1 to 100 (given: 101)"),
        ({"vmid": TEMPLATE, "node_id": "mac-9"}, "node_id: no such node (given: 'mac-9')"),
    ],
)
async def test_start_of_what_is_not_there_writes_nothing(parameters: dict[str, Any], says: str) -> None:
    async with rig() as shim:
        assert await shim.message("POST", "/api/v1/vm", json=parameters) == says
        assert shim.api.count("create") == 0


@pytest.mark.parametrize(
    "headers",
    [{}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "text/plain"}, {"Content-Type": "x"}],
)
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
async def test_bodies_of_any_content_type_and_encoding(headers: dict[str, str], encoding: str) -> None:
    async with rig() as shim:
        raw = json.dumps({"vmid": TEMPLATE, "name": "Zürich é"}, ensure_ascii=False).encode(encoding)
        (id_,) = await shim.body("POST", "/api/v1/vm/", content=raw, headers=headers)
        assert (await shim.body("GET", f"/api/v1/vm?id={id_}"))["name"] == "Zürich é"


async def test_list_and_one_are_as_documented() -> None:
    async with rig() as shim:
        (id_,) = (await shim.start(name="n", metadata={"a": 1}))["body"]
        VmListOk.model_validate(await shim.call("GET", "/api/v1/vm"))
        OneVmOk.model_validate(await shim.call("GET", "/api/v1/vm", params={"id": id_}))
        Failed.model_validate(await shim.call("GET", "/api/v1/vm", params={"id": "x"}))


async def test_an_instance_of_kubectl_appears() -> None:
    async with rig() as shim:
        seen = asyncio.Event()
        shim.services.stores.instances.subscribe(lambda *_: seen.set())
        shim.api.put("ankainstances", "by-hand", "team", spec={"template": "macos"}, metadata={"labels": {}})
        await asyncio.wait_for(seen.wait(), 60)
        (element,) = await shim.body("GET", "/api/v1/vm")
        assert element["instance_id"] == "uid-4"
        assert await shim.body("DELETE", "/api/v1/vm", json={"id": "uid-4"}) is None
        assert ("team", "by-hand") not in shim.api.objects["ankainstances"]


async def test_update_merges() -> None:
    async with rig() as shim:
        (id_,) = (await shim.start(name="a", metadata={"keep": 1}))["body"]
        changes = {"external_id": "e", "metadata": {"jenkins-job-id": "7"}}
        await shim.body("PUT", f"/api/v1/vm?id={id_}", json=changes)
        one = await shim.body("GET", f"/api/v1/vm?id={id_}")
        assert (one["name"], one["external_id"]) == ("a", "e")
        assert one["metadata"] == {"keep": 1, "jenkins-job-id": "7"}
        assert shim.api.count("patch") == 1
        await shim.body("PUT", f"/api/v1/vm?id={id_}", json={})
        assert shim.api.count("patch") == 1
        assert await shim.message("PUT", "/api/v1/vm?id=x", json={"name": "b"}) == "Not found"
        assert (
            await shim.message("PUT", f"/api/v1/vm?id={id_}", json={"name": []}) == "name: must be a string (given: [])"
        )


@pytest.mark.parametrize("how", ["body", "form", "query", "instance_id"])
async def test_terminate_by_every_spelling(how: str) -> None:
    async with rig() as shim:
        (id_,) = (await shim.start())["body"]
        options: dict[str, dict[str, Any]] = {
            "body": {"json": {"id": id_}},
            "form": {
                "content": json.dumps({"id": id_}),
                "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            },
            "query": {"params": {"id": id_}},
            "instance_id": {"json": {"instance_id": id_}},
        }
        assert await shim.call("DELETE", "/api/v1/vm", **options[how]) == {"status": "OK", "message": ""}
        assert (await shim.body("GET", f"/api/v1/vm?id={id_}"))["instance_state"] == "Terminating"
        await shim.body("DELETE", "/api/v1/vm", **options[how])
        assert shim.api.count("delete") == 1


async def test_terminate_of_the_unknown() -> None:
    async with rig() as shim:
        assert await shim.message("DELETE", "/api/v1/vm", json={"id": "nope"}) == "Not found"
        assert shim.api.count("delete") == 0
        # A UUID may be the work of another replica a moment ago: the API is asked.
        assert await shim.message("DELETE", "/api/v1/vm", json={"id": UNKNOWN}) == "Not found"
        assert await shim.message("DELETE", "/api/v1/vm") == "id: is required, the id of an instance"
        assert "id: must be a string" in await shim.message("DELETE", "/api/v1/vm", json={"id": ["x"]})


async def test_terminate_what_only_the_api_has() -> None:
    async with rig() as shim:
        id_ = str(uuid.uuid4())
        shim.api.stall()
        shim.api.put("ankainstances", id_, "anka-ci", spec={"template": "t"}, metadata={"finalizers": ["f"]})
        assert shim.services.stores.instance(id_) is None
        await shim.body("DELETE", "/api/v1/vm", json={"id": id_})
        assert "deletionTimestamp" in shim.api.objects["ankainstances"][("anka-ci", id_)]["metadata"]


async def test_what_is_gone_is_terminated_for_a_minute() -> None:
    async with rig() as shim:
        (id_,) = (await shim.start())["body"]
        await shim.body("DELETE", "/api/v1/vm", json={"id": id_})
        gone = asyncio.Event()
        shim.services.stores.instances.subscribe(lambda kind, *_: gone.set() if kind == "DELETED" else None)
        shim.api.remove("ankainstances", id_, "anka-ci")
        await asyncio.wait_for(gone.wait(), 60)
        assert (await shim.body("GET", f"/api/v1/vm?id={id_}"))["instance_state"] == "Terminated"
        assert [element["vm"]["instance_state"] for element in await shim.body("GET", "/api/v1/vm")] == ["Terminated"]
        await shim.body("DELETE", "/api/v1/vm", json={"id": id_})
        shim.clock.advance(60)
        assert await shim.body("GET", "/api/v1/vm") == []
        assert await shim.message("GET", f"/api/v1/vm?id={id_}") == "Not found"
        assert await shim.message("DELETE", "/api/v1/vm", json={"id": id_}) == "Not found"


async def test_before_the_caches_are_read_nothing_is_said_about_the_cloud() -> None:
    async with rig(synced=False) as shim:
        for method, path in (("GET", "/api/v1/vm"), ("GET", "/api/v1/node"), ("DELETE", "/api/v1/vm?id=x")):
            assert (await shim.message(method, path)).startswith("starting up, try again in a moment")
        answer = await shim.start()
        assert answer["message"].startswith("starting up")
        assert (await shim.body("GET", "/api/v1/status"))["status"] == "Starting"
        assert (await shim.http.get("/readyz")).status_code == 503


async def test_an_id_never_acts_on_what_took_its_name_elsewhere() -> None:
    async with rig() as shim:
        (id_,) = (await shim.start())["body"]
        for namespace in ("aaa", "zzz"):
            shim.api.put("ankainstances", id_, namespace, spec={"template": "t"}, status={"phase": "Error"})
        stores = shim.services.stores
        await stores.instances.wait_for(lambda store: len(list(store)) == 3, 60)
        listed = [element["instance_id"] for element in await shim.body("GET", "/api/v1/vm")]
        assert len(set(listed)) == 3
        assert listed.count(id_) == 1
        assert (await shim.body("GET", f"/api/v1/vm?id={id_}"))["instance_state"] == "Scheduling"
        for _ in range(3):
            await shim.call("DELETE", "/api/v1/vm", json={"id": id_})
            await shim.call("PUT", f"/api/v1/vm?id={id_}", json={"name": "mine"})
        shim.api.remove("ankainstances", id_, shim.services.settings.namespace)
        await stores.instances.wait_for(lambda store: len(list(store)) == 2, 60)
        shim.clock.advance(120)
        assert await shim.message("GET", f"/api/v1/vm?id={id_}") == "Not found"
        assert await shim.message("DELETE", "/api/v1/vm", json={"id": id_}) == "Not found"
        left = shim.api.objects["ankainstances"]
        assert {namespace for namespace, _ in left} == {"aaa", "zzz"}
        for obj in left.values():
            assert "deletionTimestamp" not in obj["metadata"]
            assert obj["spec"] == {"template": "t"}
            uid = obj["metadata"]["uid"]
            assert (await shim.body("GET", f"/api/v1/vm?id={uid}"))["instance_state"] == "Error"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (
            Fault(403, "User anka-shim cannot create", "Forbidden"),
            "cannot start the VM: the API shim has no right to it: User",
        ),
        (Fault(422, "spec.priority: wrong", "Invalid"), "cannot start the VM: spec.priority: wrong"),
        (
            Fault(500, "etcd is sad"),
            "cannot start the VM: the Kubernetes API is overloaded or in trouble, try again: ",
        ),
        (Fault(404, "no namespace"), "cannot start the VM: the namespace or the custom resource is not there"),
        (Fault(200, drop=True), "cannot start the VM: the Kubernetes API does not answer, try again"),
    ],
)
async def test_when_the_api_fails_all_that_was_made_is_removed(fault: Fault, says: str) -> None:
    async with rig() as shim:
        shim.api.fail("create", fault)
        answer = await shim.start(count=4)
        assert answer["status"] == "FAIL"
        assert answer["message"].startswith(says)
        made = shim.api.objects.get("ankainstances", {})
        await shim.api.until(lambda: all("deletionTimestamp" in obj["metadata"] for obj in made.values()))
        await shim.services.stores.instances.wait_for(
            lambda store: (
                {obj.metadata.name for obj in store if obj.metadata.deletion_timestamp} == {name for _, name in made}
            ),
            60,
        )
        states = {element["vm"]["instance_state"] for element in await shim.body("GET", "/api/v1/vm")}
        assert states <= {"Terminating"}
        assert (await shim.start())["status"] == "OK"


TROUBLE = "cannot start the VM: the Kubernetes API is overloaded or in trouble, try again"


async def test_an_outage_is_told_in_time_and_reads_go_on() -> None:
    async with rig(write_seconds=0.9) as shim:
        (id_,) = (await shim.start())["body"]
        shim.api.fail("create", Fault(503, "away", retry_after=1), times=100)
        shim.api.fail("delete", Fault(503, "away", retry_after=1), times=100)
        async with asyncio.timeout(60):
            assert (await shim.start())["message"] == f"{TROUBLE} in 1 s: HTTP 503: away"
            assert (await shim.message("DELETE", "/api/v1/vm", json={"id": id_})).startswith(
                "cannot terminate the VM: "
            )
        shim.api.cut()
        assert [element["instance_id"] for element in await shim.body("GET", "/api/v1/vm")] == [id_]


@pytest.mark.parametrize("count", [2, 40])
async def test_many_are_told_what_the_api_said_as_one_is(count: int) -> None:
    """Their time ends while they wait for another attempt, or for a place."""
    async with rig(write_seconds=2.0) as shim:
        shim.api.fail("create", Fault(503, "away", retry_after=1), times=1000)
        assert (await shim.start(count=count))["message"] == f"{TROUBLE} in 1 s: HTTP 503: away"
