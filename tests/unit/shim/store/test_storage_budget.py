"""What counts as stored, and what is refused."""

from __future__ import annotations

import pytest

from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES
from anka_kube.store import Store
from anka_shim.failure import Failure
from anka_shim.store.storage_budget import OBJECT_BYTES, StorageBudget, size_of
from support.objects import instance


class Desk:
    def __init__(self, most: int) -> None:
        self.store: Store[AnkaInstance] = Store(INSTANCES)
        self.budget = StorageBudget((self.store,), most)

    def has_room(self, size: int) -> bool:
        try:
            with self.budget.reserve(size):
                return True
        except Failure:
            return False


LARGE = instance("large", metadata={"key": "x" * 5000})


def test_an_object_takes_its_spec_and_a_bit_more() -> None:
    assert OBJECT_BYTES + 5000 < size_of(LARGE) < OBJECT_BYTES + 5300
    assert size_of(instance(meta={"annotations": {"anka.veertu.com/script-bytes": "700"}})) == size_of(instance()) + 700
    assert size_of(instance(meta={"annotations": {"anka.veertu.com/script-bytes": "-7 %"}})) == size_of(instance())


def test_it_counts_what_is_there() -> None:
    desk = Desk(100_000)
    desk.store.apply_written(LARGE)
    room = 100_000 - size_of(LARGE)
    assert (desk.has_room(room), desk.has_room(room + 1)) == (True, False)
    smaller = instance("large", meta={"generation": 2, "resourceVersion": "2"})
    desk.store.apply_written(smaller)
    room = 100_000 - size_of(smaller)
    assert (desk.has_room(room), desk.has_room(room + 1)) == (True, False)
    desk.store.apply_deleted(smaller)
    assert (desk.has_room(100_000), desk.has_room(100_001)) == (True, False)


def test_a_status_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(100_000)
    desk.store.apply_written(LARGE)
    monkeypatch.setattr("anka_shim.store.storage_budget.size_of", lambda obj: pytest.fail("measured again"))
    desk.store.apply_written(
        instance("large", meta={"resourceVersion": "2"}, status={"phase": "Started"}, metadata={"key": "x" * 5000})
    )


def test_what_is_being_written_counts() -> None:
    desk = Desk(1000)
    with desk.budget.reserve(600):
        assert (desk.has_room(400), desk.has_room(401)) == (True, False)
    assert desk.has_room(1000)


def test_it_says_what_to_do() -> None:
    with pytest.raises(Failure) as refused, Desk(1000).budget.reserve(1001):
        pass
    assert refused.value.message == (
        "too much is stored: 0 bytes in instances, images, distributions, groups and API keys, 1001 more are asked "
        "for, and 1000 may be (--max-stored-bytes): end or delete some first"
    )
