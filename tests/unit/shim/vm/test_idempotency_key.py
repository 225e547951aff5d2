from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaInstance
from anka_crds.rules.naming import is_uuid
from anka_shim.annotations import ATTEMPT, REQUEST, SLOT
from anka_shim.failure import Failure
from anka_shim.vm.idempotency_key import (
    KEPT,
    TAKEN_BACK,
    StartKey,
    check,
    find_repeated,
    free_name,
    random_key,
    start_key,
)
from anka_shim.vm.request import StartVm, read_start
from support.rest import read

NOW = datetime(2026, 1, 1, 10, tzinfo=UTC)
WANTED = StartKey("key/k", "hash")


def of(key: str | None = "k", *, window: float = 0.0, **parameters: Any) -> StartKey | None:
    request = read_start(read(StartVm, {"vmid": "t", **parameters}), max_count=100)
    return start_key(key, request, namespace="ns", external_id_seconds=window)


def instance(name: str = "a", age: float = 1.0, *, attempt: str = "x", ending: bool = False) -> AnkaInstance:
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": "ns",
        "uid": f"uid-{name}",
        "creationTimestamp": (NOW - timedelta(seconds=age)).isoformat(),
        "annotations": {ATTEMPT: attempt, REQUEST: "hash", SLOT: "slot"},
    }
    if ending:
        metadata["deletionTimestamp"] = NOW.isoformat()
    return AnkaInstance.from_api({"metadata": metadata, "spec": {"template": "t"}})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"count": "2"}, {"count": 2}),
        ({"count": 1}, {"count": 0}),
        ({"unknown": 1, "tag": ""}, {}),
        ({"metadata": {"a": 1, "b": 2}}, {"metadata": {"b": 2, "a": 1}}),
        ({"priority": 1000}, {}),
    ],
)
def test_the_same_request_however_it_is_written(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert of(**left) == of(**right)


@pytest.mark.parametrize(
    "other",
    [{"count": 2}, {"name": "n"}, {"node_id": "m"}, {"group_id": "g"}, {"metadata": {"a": 1}}, {"vmid": "u"}],
)
def test_another_request(other: dict[str, Any]) -> None:
    first, second = of(), of(**other)
    assert first is not None
    assert second is not None
    assert first.slot(0) == second.slot(0)
    assert first.request != second.request


def test_slots_are_ids_and_differ_by_key_and_place() -> None:
    start = read_start(read(StartVm, {"vmid": "t"}), max_count=1)
    wanted = [of("a"), of("b"), start_key("a", start, namespace="x", external_id_seconds=0)]
    slots = {item.slot(place) for item in wanted if item is not None for place in range(3)}
    assert len(slots) == 9
    assert all(is_uuid(slot) for slot in slots)


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "a\n"])
def test_keys_that_are_none(key: str) -> None:
    with pytest.raises(Failure, match="Idempotency-Key: must have 1 to 255 visible ASCII characters"):
        of(key)


def test_by_external_id_only_when_it_is_asked_for() -> None:
    assert of(None, external_id="e") is None
    assert of(None, window=30) is None
    found = of(None, window=30, external_id="e")
    assert found is not None
    assert found.seconds == 30
    # Something else under the same external_id is no repeat; a key says more than an external_id.
    other = of(None, window=30, external_id="e", name="n")
    assert other is not None
    assert other.slot(0) != found.slot(0)
    keyed = of("k", window=30, external_id="e")
    assert keyed is not None
    assert keyed.seconds is None


@pytest.mark.parametrize(
    ("known", "seconds", "name"),
    [
        ([], None, None),
        ([instance("a")], None, "a"),
        ([instance("a", attempt=KEPT)], None, "a"),
        ([instance("a", attempt=TAKEN_BACK)], None, None),
        ([instance("a", 10_000)], None, "a"),
        ([instance("a", 60)], 60, "a"),
        ([instance("a", 61)], 60, None),
        ([instance("a", -3)], 60, "a"),
        ([instance("a", ending=True)], None, "a"),
        ([instance("a", ending=True), instance("b", 0)], None, "b"),
        ([instance("a", 5), instance("b", 3)], None, "a"),
        ([instance("a", 5, ending=True), instance("b", 3, ending=True)], None, "b"),
        ([instance("a", 61), instance("b", 3, ending=True)], 60, "b"),
    ],
)
def test_which_instance_a_repeat_is_about(known: list[AnkaInstance], seconds: float | None, name: str | None) -> None:
    found = find_repeated(known, StartKey("k", "hash", seconds), NOW)
    assert (found.metadata.name if found else None) == name


def test_names_follow_from_what_is_there() -> None:
    assert free_name([], "slot") == "slot"
    second = free_name([instance("slot")], "slot")
    assert is_uuid(second)
    assert free_name([instance(second)], "slot") == "slot"
    third = free_name([instance(second), instance("slot")], "slot")
    assert third not in ("slot", second)
    assert third == free_name([instance("slot"), instance(second), instance("other")], "slot")


def test_a_key_belongs_to_one_request() -> None:
    check(instance(), WANTED)
    with pytest.raises(Failure) as caught:
        check(instance(), StartKey("key/k", "another"))
    assert caught.value.message == (
        "Idempotency-Key: was used for another request: repeat that one unchanged, or take a new key"
    )


def test_a_request_that_is_never_repeated_leaves_no_trace() -> None:
    key = random_key(str(uuid.uuid4()))
    assert not key.repeatable
    assert key.annotations(0, "attempt") == {}
    assert is_uuid(key.slot(0))
    assert len({key.slot(0), key.slot(1), random_key("other").slot(0)}) == 3
    assert is_uuid(key.slot(1))
