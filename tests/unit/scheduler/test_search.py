"""The best node for a shape, while bindings of the same round take capacity."""

from __future__ import annotations

import dataclasses

import pytest

from anka_scheduler import reasons
from anka_scheduler.catalog import ResolvedVersion
from anka_scheduler.filters import Requirements
from anka_scheduler.ledger import Claim, Ledger
from anka_scheduler.node import to_schedulable
from anka_scheduler.score import Placement
from anka_scheduler.search import NodeSearch, RoundState
from anka_scheduler.size import VmSize
from anka_scheduler.snapshot import find_candidates
from support.objects import TEMPLATE, node

VERSION = ResolvedVersion(TEMPLATE, "macos-15", "v2", 1, "arm64")


class World:
    """A round on nodes with these slots."""

    def __init__(self, placement: Placement = Placement.SPREAD, **slots: int) -> None:
        nodes = {
            name: dataclasses.replace(to_schedulable(node(name, slots=count)), allocatable=VmSize(8, 16_384))
            for name, count in slots.items()
        }
        self.state = RoundState(nodes, Ledger(), placement)
        self.bound = 0

    def search(self) -> NodeSearch:
        return NodeSearch(find_candidates(Requirements(VERSION, ()), self.state.nodes.values()), self.state)

    def bind(self, name: str) -> None:
        self.bound += 1
        self.state.ledger.record(f"uid-{self.bound}", Claim(name))
        self.state.assigned.append(name)

    def bind_all(self, search: NodeSearch) -> list[str]:
        while (found := search.find_best()) is not None:
            self.bind(found.name)
        return self.state.assigned


@pytest.mark.parametrize(
    ("placement", "order"),
    [(Placement.SPREAD, ["a", "b", "a", "b"]), (Placement.PACK, ["a", "a", "b", "b"])],
)
def test_bindings_of_the_round_count(placement: Placement, order: list[str]) -> None:
    world = World(placement, a=2, b=2)
    assert world.bind_all(world.search()) == order


def test_bindings_of_another_shape_count_too() -> None:
    world = World(a=1, b=1)
    search = world.search()
    world.bind("a")
    assert world.bind_all(search) == ["a", "b"]


def test_a_reserved_node_takes_no_more_instances() -> None:
    world = World(a=2, b=1)
    search = world.search()
    world.state.reserved["a"] = "uid-waiting"
    assert world.bind_all(search) == ["b"]
    assert search.explain().message == "0/2 nodes fit: 1 full, 1 kept free for an instance that waits longer"
    assert world.search().choose_nodes_to_reserve(2) == ["b"]


def test_the_nodes_to_reserve_are_those_that_need_the_least() -> None:
    world = World(a=1, b=1, c=1)
    for name in ("a", "a", "b", "c", "c", "c"):
        world.bind(name)
    assert world.search().choose_nodes_to_reserve(2) == ["b", "a"]


def test_the_reason_for_a_named_node_is_about_that_node() -> None:
    world = World(a=1)
    world.bind("a")
    candidates = find_candidates(Requirements(VERSION, ()), world.state.nodes.values(), "a")
    assert NodeSearch(candidates, world.state).explain(["a"]) == reasons.node_does_not_fit("a", reasons.FULL, ["a"])


def test_a_group_without_nodes_is_its_own_reason() -> None:
    world = World(a=1)
    candidates = find_candidates(Requirements(VERSION, ("ios", "spare")), world.state.nodes.values())
    message = NodeSearch(candidates, world.state).explain().message
    assert message == "No node is in group ios, nor in its fallback spare"
