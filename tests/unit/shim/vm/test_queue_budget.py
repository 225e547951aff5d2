"""Who waits, whose they are, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import AnkaInstance
from anka_shim.failure import Failure
from anka_shim.store.caches import Stores
from anka_shim.vm.queue_budget import QueueBudget
from support.objects import instance


class Desk:
    def __init__(self, most: int = 5, most_per_client: int = 3) -> None:
        self.stores = Stores(namespace="default")
        self.store = self.stores.instances
        self.budget = QueueBudget(self.stores, most, most_per_client)
        self._version = 0

    def put(self, name: str, phase: str = "Scheduling", node: str | None = None) -> AnkaInstance:
        self._version += 1
        status = {"phase": phase, **({"nodeName": node} if node else {})}
        made = instance(name, status=status, meta={"resourceVersion": str(self._version)})
        self.store.apply_written(made)
        return made

    def start(self, *names: str, client: str = "a") -> None:
        with self.budget.reserve(len(names), client) as ids:
            ids += [self.stores.id_of(self.put(name)) for name in names]

    def refusal(self, count: int, client: str = "a") -> str:
        with pytest.raises(Failure) as refused, self.budget.reserve(count, client):
            pass
        return refused.value.message

    def room(self, client: str) -> int:
        """How many more this client may start."""
        for count in range(100, 0, -1):
            try:
                with self.budget.reserve(count, client):
                    return count
            except Failure:
                pass
        return 0


def test_of_all_and_of_one_client() -> None:
    desk = Desk()
    desk.put("by-kubectl")
    desk.start("one", "two")
    assert (desk.room("a"), desk.room("b")) == (1, 2)
    assert desk.refusal(2) == (
        "too many instances of a wait for a Mac: 2, and at most 3 may (--max-waiting-per-client): "
        "end some, or try again when others have started"
    )
    assert desk.refusal(3, "b").startswith("too many instances wait for a Mac: 3, and at most 5 may (--max-waiting): ")


@pytest.mark.parametrize(("phase", "node"), [("Scheduling", "mac-1"), ("Pulling", "mac-1"), ("Error", None)])
def test_what_has_a_mac_or_has_failed_waits_no_more(phase: str, node: str | None) -> None:
    desk = Desk()
    desk.start("one", "two", "three")
    assert desk.room("a") == 0
    desk.put("one", phase, node)
    assert (desk.room("a"), desk.room("b")) == (1, 3)


def test_what_is_gone_waits_no_more() -> None:
    desk = Desk()
    desk.start("one")
    desk.store.apply_deleted(desk.put("one"))
    assert (desk.room("a"), desk.room("b")) == (3, 3)


def test_what_is_being_started_counts() -> None:
    desk = Desk()
    with desk.budget.reserve(2, "a"):
        assert (desk.room("a"), desk.room("b")) == (1, 3)
    assert desk.room("a") == 3


def test_what_had_a_mac_before_its_request_was_answered_is_nobodys() -> None:
    desk = Desk()
    with desk.budget.reserve(1, "a") as ids:
        ids.append(desk.stores.id_of(desk.put("quick", "Pulling", "mac-1")))
    assert desk.room("a") == 3


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("uvwxyz"), st.sampled_from(["start", "bind", "end"])))
)
def test_a_client_without_waiting_instances_takes_no_memory(steps: list[tuple[str, str, str]]) -> None:
    desk = Desk(100, 100)
    for client, name, step in steps:
        if step == "start" and desk.store.get(name, "default") is None:
            desk.start(name, client=client)
        elif step == "bind":
            desk.put(name, "Pulling", "mac-1")
        elif step == "end":
            desk.store.apply_deleted(desk.put(name, "Pulling", "mac-1"))
    for name in "uvwxyz":
        desk.put(name, "Pulling", "mac-1")
    assert (desk.budget._waiting, desk.budget._by_client, desk.budget._reserved) == ({}, {}, {})
