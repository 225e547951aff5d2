"""The scheduler's state follows the caches, and believes in binds under way until they are settled."""

from __future__ import annotations

from collections import Counter

import pytest

from anka_operator.cluster import Stores
from anka_operator.controllers.board import Board
from anka_operator.scheduler.candidates import candidates
from anka_operator.scheduler.ledger import Claim
from anka_operator.scheduler.reasons import Unscheduled
from anka_operator.scheduler.shape import Shape
from anka_operator.scheduler.size import Size
from support.objects import group, instance, node, template


class Desk:
    def __init__(self) -> None:
        self.stores = Stores()
        self.changes = 0
        self.now = 0.0
        self.board = Board(self.stores, self._changed, lambda: self.now)

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_was_there_before_counts() -> None:
    desk = Desk()
    desk.stores.instances.observe(instance("waits"))
    desk.stores.instances.observe(instance("runs", status={"nodeName": "mac-1", "phase": "Started"}))
    desk.stores.nodes.observe(node())
    later = Board(desk.stores, desk._changed, lambda: 5.0)
    assert (len(later.queue), later.ledger.used("mac-1"), list(later.world().nodes)) == (1, 1, ["mac-1"])
    assert later.since == {"uid-waits": 5.0}


def test_a_life(desk: Desk) -> None:
    board, instances = desk.board, desk.stores.instances
    instances.observe(instance(meta={"version": 1}))
    assert "uid-one" in board.queue
    board.assume("uid-one", Claim("mac-1"))
    assert ("uid-one" in board.queue, board.ledger.used("mac-1")) == (False, 1)
    # Somebody touches it while the bind is under way: it must not wait again.
    instances.observe(instance(meta={"version": 2}, priority=5))
    assert ("uid-one" in board.queue, board.ledger.used("mac-1")) == (False, 1)
    instances.observe(instance(meta={"version": 3}, status={"nodeName": "mac-1"}))
    board.settle("uid-one")
    assert (board.assumed, board.ledger.used("mac-1"), board.since) == ({}, 1, {})
    instances.observe(instance(meta={"version": 4}, status={"nodeName": "mac-1", "phase": "Error"}))
    assert board.ledger.used("mac-1") == 0
    instances.observe_deleted(("default", "one"), "uid-one", "5")
    assert len(board.queue) == 0
    assert desk.changes == 5


def test_a_bind_that_failed_waits_again_and_gives_back_its_room(desk: Desk) -> None:
    desk.stores.instances.observe(instance())
    desk.now = 7.0
    desk.board.assume("uid-one", Claim("mac-1"))
    desk.board.settle("uid-one")
    assert ("uid-one" in desk.board.queue, desk.board.ledger.used("mac-1")) == (True, 0)
    assert desk.board.since == {"uid-one": 0.0}


def test_one_deleted_during_its_bind_is_forgotten(desk: Desk) -> None:
    desk.stores.instances.observe(instance())
    desk.board.assume("uid-one", Claim("mac-1"))
    desk.stores.instances.observe_deleted(("default", "one"), "uid-one", "9")
    desk.board.settle("uid-one")
    assert (len(desk.board.queue), desk.board.ledger.used("mac-1"), desk.board.assumed) == (0, 0, {})


def test_a_failed_vm_that_still_runs_takes_its_place(desk: Desk) -> None:
    vm = {"uuid": "u", "name": "n", "status": "running"}
    desk.stores.instances.observe(instance(status={"nodeName": "mac-1", "phase": "Error", "vm": vm}))
    assert desk.board.ledger.used("mac-1") == 1


def test_nodes_wake_only_when_it_matters(desk: Desk) -> None:
    desk.stores.nodes.observe(node(meta={"version": 1}))
    desk.stores.nodes.observe(node(meta={"version": 2}, status={"usage": {"vmCount": 3}}))
    assert desk.changes == 1
    desk.stores.nodes.observe(node(meta={"version": 3}, drainMode=True))
    assert desk.changes == 2
    assert desk.board.world().nodes["mac-1"].draining
    desk.stores.nodes.observe_deleted(("", "mac-1"), "uid-mac-1", "4")
    assert desk.changes == 3
    assert desk.board.world().nodes == {}


def test_templates_and_groups(desk: Desk) -> None:
    desk.stores.templates.observe(template())
    desk.stores.groups.observe(group("ios", "spare"))
    world = desk.board.world()
    assert Counter(world.fallbacks) == {"ios": "spare"}
    assert world.catalog.resolve(Shape("macos-15"))
    desk.stores.templates.observe(template(name="renamed", meta={"version": 2}))
    assert type(desk.board.world().catalog.resolve(Shape("macos-15"))).__name__ == "Unscheduled"


def test_sizes_come_from_the_nodes(desk: Desk) -> None:
    held = [{"uuid": "t", "name": "t", "tag": "v1", "vcpu": 6, "memoryMib": 8192}]
    desk.stores.nodes.observe(node(status={"templates": held}))
    bound = {"nodeName": "mac-1", "phase": "Started", "template": {"id": "t", "tag": "v1"}}
    desk.stores.instances.observe(instance(status=bound, usbDevice="7"))
    assert desk.board.ledger.claim("uid-one") == Claim("mac-1", Size(6, 8192), "7")
    assert desk.board.world().sizes.of("t", "v1") == Size(6, 8192)


@pytest.mark.parametrize("change", ["node", "gone", "template", "group"])
def test_what_is_known_of_a_shape_ends_with_the_next_change(desk: Desk, change: str) -> None:
    """Which nodes are possible is found once for many rounds, and never outlives what it was found from."""
    desk.stores.templates.observe(template())
    desk.stores.groups.observe(group("ios", "spare"))
    desk.stores.nodes.observe(node("a", groups=["spare"]))
    desk.stores.nodes.observe(node("b"))
    shape = Shape("macos-15", group="ios")

    def possible() -> object:
        found = candidates(desk.board.world(), shape)
        return found if isinstance(found, Unscheduled) else [one.name for one, _, _ in found.nodes]

    first = candidates(desk.board.world(), shape)
    assert candidates(desk.board.world(), shape) is first
    desk.stores.nodes.observe(node("b", meta={"version": 2}, status={"usage": {"vmCount": 3}}))
    assert candidates(desk.board.world(), shape) is first
    assert possible() == []  # "spare" does not exist
    if change == "node":
        desk.stores.nodes.observe(node("b", meta={"version": 3}, groups=["ios"]))
        assert possible() == ["b"]
    elif change == "gone":
        desk.stores.nodes.observe_deleted(("", "b"), "uid-b", "3")
        assert possible() == []
        assert candidates(desk.board.world(), shape) is not first
    elif change == "template":
        desk.stores.templates.observe(template(name="renamed", meta={"version": 2}))
        assert isinstance(possible(), Unscheduled)
    else:
        desk.stores.groups.observe(group("spare"))
        assert possible() == ["a"]


def test_closed(desk: Desk) -> None:
    desk.board.close()
    desk.stores.instances.observe(instance())
    assert (desk.changes, len(desk.board.queue)) == (0, 0)
