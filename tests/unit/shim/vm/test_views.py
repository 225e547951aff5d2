from __future__ import annotations

import uuid
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import anka_shim.vm.views as module
from anka_crds.api import AnkaInstance
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.http.authentication import Principal, sent_by
from anka_shim.store.caches import Stores
from anka_shim.vm.answer import VmAnswer, vm_answer
from anka_shim.vm.views import InstanceViews
from support.manual_clock import ManualClock

NAMES = [str(uuid.UUID(int=number, version=4)) for number in range(5)]


def instance(name: str, version: int, uid: str = "", **status: Any) -> AnkaInstance:
    metadata = {"name": name, "namespace": "ns", "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return AnkaInstance.from_api({"metadata": metadata, "spec": {"template": "t"}, "status": status})


class Seen:
    """Stores and views, and the ids with their states as the list shows them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.stores = Stores(namespace="ns")
        self.views = InstanceViews(self.stores, self.clock, registry="r", terminated_seconds=60)

    @property
    def states(self) -> dict[str, str]:
        return {item["instance_id"]: item["vm"]["instance_state"] for item in orjson.loads(self.views.all())}

    def put(self, *objects: AnkaInstance) -> None:
        for obj in objects:
            self.stores.instances.observe(obj)

    def remove(self, obj: AnkaInstance, version: int) -> None:
        key = (obj.metadata.namespace or "", obj.metadata.name)
        self.stores.instances.observe_deleted(key, obj.metadata.uid, str(version))


def test_the_list_follows_the_store() -> None:
    seen = Seen()
    assert seen.views.all() == b"[]"
    seen.put(instance(NAMES[0], 1), instance(NAMES[1], 2))
    assert seen.states == {NAMES[0]: "Scheduling", NAMES[1]: "Scheduling"}
    seen.put(instance(NAMES[0], 3, phase="Started"))
    assert seen.states == {NAMES[0]: "Started", NAMES[1]: "Scheduling"}
    one = seen.views.one(NAMES[0])
    assert one is not None
    assert orjson.loads(one)["instance_state"] == "Started"
    assert seen.views.one(NAMES[2]) is None


def test_what_did_not_change_is_not_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen()
    encoded: list[str] = []

    def record(obj: AnkaInstance, *rest: Any, **more: Any) -> VmAnswer:
        encoded.append(obj.metadata.name)
        return vm_answer(obj, *rest, **more)

    monkeypatch.setattr(module, "vm_answer", record)
    seen.put(*(instance(name, number) for number, name in enumerate(NAMES)))
    assert seen.views.all() is seen.views.all()
    assert encoded == NAMES
    seen.put(instance(NAMES[3], 10, phase="Started"))
    seen.views.all()
    assert encoded == [*NAMES, NAMES[3]]


def test_a_relist_that_finds_an_instance_gone_leaves_a_tombstone() -> None:
    seen = Seen()
    seen.put(instance(NAMES[0], 1), instance(NAMES[1], 2))
    begun = seen.stores.instances.begin_list()
    seen.stores.instances.replace([instance(NAMES[1], 2)], "9", begun)
    assert seen.states == {NAMES[1]: "Scheduling", NAMES[0]: "Terminated"}


def test_tombstones_go_one_by_one() -> None:
    seen = Seen()
    first, second = instance(NAMES[0], 1), instance(NAMES[1], 2)
    seen.put(first, second)
    seen.remove(first, 3)
    seen.clock.advance(30)
    seen.remove(second, 4)
    assert set(seen.states.values()) == {"Terminated"}
    seen.clock.advance(30)
    assert seen.states == {NAMES[1]: "Terminated"}
    assert seen.views.one(NAMES[0]) is None
    seen.clock.advance(30)
    assert seen.states == {}
    assert not seen.views._encoded


def test_an_id_that_comes_back_lives() -> None:
    seen = Seen()
    seen.put(instance(NAMES[0], 1, "uid-1"))
    seen.put(instance(NAMES[0], 5, "uid-2", phase="Started"))
    assert seen.states == {NAMES[0]: "Started"}
    seen.clock.advance(120)
    assert seen.states == {NAMES[0]: "Started"}


def test_the_same_name_in_two_namespaces_shows_both() -> None:
    seen = Seen()
    other = instance(NAMES[0], 2, "uid-other", phase="Started")
    other.metadata.namespace = "other"
    seen.put(instance(NAMES[0], 1), other)
    states = [item["vm"]["instance_state"] for item in orjson.loads(seen.views.all())]
    assert sorted(states) == ["Scheduling", "Started"]


def test_an_id_never_shows_what_took_its_name_elsewhere() -> None:
    """Neither while the instance lives, nor while it is shown as Terminated, nor later; in whatever order they come."""
    seen = Seen()
    thief, late = (instance(NAMES[0], number, f"uid-{number}", phase="Error") for number in (1, 5))
    for other in (thief, late):
        other.metadata.namespace = "other"
    victim = instance(NAMES[0], 2, "uid-victim", phase="Started")
    seen.put(thief, victim)
    assert seen.states == {NAMES[0]: "Started", "uid-1": "Error"}
    seen.remove(thief, 3)
    seen.put(late)
    seen.remove(victim, 6)
    assert seen.states == {NAMES[0]: "Terminated", "uid-1": "Terminated", "uid-5": "Error"}
    assert seen.stores.instance(NAMES[0]) is None
    seen.clock.advance(120)
    assert seen.states == {"uid-5": "Error"}
    assert seen.views.one(NAMES[0]) is None
    assert seen.stores.instance("uid-5") == late


def test_no_tombstones_when_not_wanted() -> None:
    stores = Stores(namespace="ns")
    views = InstanceViews(stores, ManualClock(), registry="", terminated_seconds=0)
    stores.instances.observe(instance(NAMES[0], 1))
    stores.instances.observe_deleted(("ns", NAMES[0]), f"uid-{NAMES[0]}", "2")
    assert views.all() == b"[]"


GROUPS = ("ios", "web", "none")
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 4), st.sampled_from([None, *GROUPS[:2]])),
        st.tuples(st.just("remove"), st.integers(0, 4), st.none()),
        st.tuples(st.just("pass"), st.integers(1, 61), st.none()),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@example([("put", 0, "ios"), ("remove", 0, None), ("put", 0, None)])
@given(_steps)
def test_a_member_has_exactly_the_instances_of_their_groups(steps: list[tuple[str, int, str | None]]) -> None:
    """Whatever is kept from one list to the next."""
    seen = Seen()
    rights = ResourceRights(seen.stores, is_on=True)
    views = InstanceViews(seen.stores, seen.clock, registry="r", terminated_seconds=60, rights=rights)
    members = [frozenset(groups) for groups in ((), GROUPS[:1], GROUPS[:2], GROUPS)]
    there: dict[int, AnkaInstance] = {}
    for version, (step, number, group) in enumerate(steps, 1):
        if step == "pass":
            seen.clock.advance(number)
        elif step == "put":
            # Nobody changes the group of an instance: another one has its name now.
            old = there.get(number)
            if old is not None and old.spec.permission_group == group:
                made = instance(NAMES[number], version, old.metadata.uid, phase="Started")
            else:
                made = instance(NAMES[number], version, f"uid-{version}")
            there[number] = made.model_copy(update={"spec": made.spec.model_copy(update={"permission_group": group})})
            seen.put(there[number])
        elif number in there:
            seen.remove(there.pop(number), version)
        everything = orjson.loads(views.all())
        for groups in members:
            with sent_by(Principal("key", groups)):
                shown = orjson.loads(views.all())
                alone = [one["instance_id"] for one in everything if views.one(one["instance_id"]) is not None]
            wanted = [one for one in everything if one["vm"].get("group") in groups]
            by_id = {one["instance_id"]: one for one in wanted}
            assert {one["instance_id"]: one for one in shown} == by_id
            assert len(shown) == len(wanted)
            assert set(alone) == by_id.keys()
