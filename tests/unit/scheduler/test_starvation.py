"""Nobody waits for ever at equal priority: a large instance gets its room although small ones keep coming."""

from __future__ import annotations

import math
from itertools import count, cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import AnkaInstance
from anka_scheduler.catalog import ResolvedVersion, TemplateCatalog
from anka_scheduler.decide import RoundResult, decide
from anka_scheduler.filters import Requirements
from anka_scheduler.ledger import Claim, Ledger
from anka_scheduler.node import NodeDevice, SchedulableNode, to_schedulable
from anka_scheduler.queue import SchedulingQueue
from anka_scheduler.size import VmSize
from anka_scheduler.snapshot import Snapshot
from anka_scheduler.starvation import PERIOD_SECONDS, StarvationGuard, deficit
from support.objects import instance, node, template

TICK = 10.0


class Stream:
    """Intel Macs by resource (8 vCPUs each) that small instances, of equal priority and younger, keep full."""

    def __init__(self, macs: int, lives: list[int], *, patient: bool = True, immortal: int = 0) -> None:
        nodes = {
            f"mac-{number}": to_schedulable(
                node(f"mac-{number}", arch="amd64", capacityMode="resource", vcpuOverride=8, ramOverrideGib=64)
            )
            for number in range(macs)
        }
        self.snapshot = Snapshot(nodes, TemplateCatalog([template(arch="")]))
        self.queue, self.ledger = SchedulingQueue(), Ledger()
        self.guard = StarvationGuard() if patient else None
        self.lives = cycle(lives)
        self.ends: dict[str, int] = {}
        self.names = count()
        self.tick = 0
        for number in range(immortal):
            self.ledger.record(f"immortal-{number}", Claim(f"mac-{number}", VmSize(1, 1024)))
        self.fill()
        for _ in range(3):
            self.step()

    def small(self) -> AnkaInstance:
        resources = {"vcpu": 2, "memoryMib": 1024}
        return instance(f"small-{next(self.names):06}", meta={"age": -self.tick}, resources=resources)

    def fill(self) -> None:
        while len(self.queue) < 6 * len(self.snapshot.nodes):
            self.queue.add(self.small())

    def step(self) -> RoundResult:
        """Some end, some come, and one round. Lives are desynchronised, so that room comes in small bits."""
        self.tick += 1
        for uid in [uid for uid, end in self.ends.items() if end <= self.tick]:
            self.ledger.record(uid, None)
            del self.ends[uid]
        self.fill()
        now = self.tick * TICK
        decisions = decide(self.snapshot, self.queue, self.ledger, guard=self.guard, now=now)
        for binding in decisions.bindings:
            self.queue.remove(binding.uid)
            self.ends[binding.uid] = self.tick + next(self.lives)
        return decisions

    def until_bound(self, uid: str, most: int) -> int | None:
        """Rounds until it was bound; None: not within `most`."""
        for number in range(most):
            if any(binding.uid == uid for binding in self.step().bindings):
                return number
        return None


def large(stream: Stream, vcpus: int = 8) -> str:
    # Older than those that come, younger than those that wait already: those it can't overtake.
    one = instance("large", meta={"age": -stream.tick}, resources={"vcpu": vcpus, "memoryMib": 4096})
    stream.queue.add(one)
    return one.metadata.uid


def test_without_patience_it_would_starve() -> None:
    """What the rule is for: the world of the properties below is one that needs it."""
    stream = Stream(2, [3, 4, 5, 7], patient=False)
    assert stream.until_bound(large(stream), 400) is None


@given(st.integers(1, 4), st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(3, 8))
def test_nobody_starves(macs: int, lives: list[int], vcpus: int) -> None:
    stream = Stream(macs, lives)
    periods = PERIOD_SECONDS / TICK * 2
    assert stream.until_bound(large(stream, vcpus), math.ceil(periods) + 3 * max(lives) + 12) is not None


@given(st.integers(2, 6), st.lists(st.integers(1, 12), min_size=1, max_size=5), st.data())
def test_not_even_when_vms_on_most_macs_never_end(macs: int, lives: list[int], data: st.DataObject) -> None:
    """A node that is kept free and never becomes free is not the last one tried: more are kept as time goes by."""
    stream = Stream(macs, lives, immortal=data.draw(st.integers(0, macs - 1)))
    periods = PERIOD_SECONDS / TICK * (3 + math.log2(macs))
    assert stream.until_bound(large(stream), math.ceil(periods) + 3 * max(lives) + 12) is not None


def intel(*names: str) -> dict[str, SchedulableNode]:
    return {
        name: to_schedulable(node(name, arch="amd64", capacityMode="resource", vcpuOverride=8, ramOverrideGib=64))
        for name in names
    }


def held_up(*sizes: int, macs: tuple[str, ...], others: list[AnkaInstance]) -> RoundResult:
    """A round in which instances of these sizes have been first in their lines for a minute; 2 vCPUs of each Mac are
    free. `others` wait with them."""
    queue, ledger, guard = SchedulingQueue(), Ledger(), StarvationGuard()
    for number, vcpus in enumerate(sizes):
        queue.add(instance(f"large-{number}", meta={"age": 100 - number}, resources={"vcpu": vcpus, "memoryMib": 512}))
        guard.count_reserved(f"uid-large-{number}", 0.0)
    for one in others:
        queue.add(one)
    for name in macs:
        ledger.record(f"on-{name}", Claim(name, VmSize(6, 512)))
    world = Snapshot(intel(*macs), TemplateCatalog([template(arch="")]))
    return decide(world, queue, ledger, guard=guard, now=PERIOD_SECONDS)


def test_each_gets_a_node_of_its_own() -> None:
    assert held_up(8, 7, macs=("a", "b"), others=[]).reserved == {"a": "uid-large-0", "b": "uid-large-1"}


def test_one_shape_before_and_after() -> None:
    """The same shape may use the node for those who come first, and not for those who come later."""
    ones = [instance(name, meta={"age": age}, resources={"vcpu": 1, "memoryMib": 512}) for name, age in
            (("before", 200), ("after", 50))]  # fmt: skip
    decisions = held_up(8, macs=("a",), others=ones)
    assert [binding.uid for binding in decisions.bindings] == ["uid-before"]
    assert [why.message for why in decisions.unscheduled.values()] == [
        "0/1 node fit: 1 lacks vCPUs; a is kept free for it",
        "0/1 node fit: 1 kept free for an instance that waits longer",
    ]


def test_urgent_ones_are_not_held_up() -> None:
    stream = Stream(1, [5])
    uid = large(stream)
    while uid not in (kept := stream.step().reserved).values():
        assert not kept
    urgent = instance("urgent", priority=1, resources={"vcpu": 1, "memoryMib": 512})
    stream.queue.add(urgent)
    stream.ledger.record(next(iter(stream.ends)), None)
    assert urgent.metadata.uid in [binding.uid for binding in stream.step().bindings]


def test_a_long_queue_that_moves_keeps_nothing_free() -> None:
    """Only who is first in its line and held up counts: that thousands wait for an hour is no reason to leave room."""
    stream = Stream(2, [2, 3])
    for _ in range(60):
        assert not stream.step().reserved


@pytest.mark.parametrize(
    ("seconds", "nodes"), [(0, 0), (59.9, 0), (60, 1), (119, 1), (120, 2), (180, 4), (240, 8), (1e9, 1 << 30)]
)
def test_more_nodes_with_time(seconds: float, nodes: int) -> None:
    guard = StarvationGuard()
    assert guard.count_reserved("a", 1000.0) == 0
    assert guard.count_reserved("a", 1000.0 + seconds) == nodes


def test_who_left_is_forgotten() -> None:
    guard, queue = StarvationGuard(), SchedulingQueue()
    queue.add(instance("a"))
    for uid in ("uid-a", "uid-b"):
        guard.count_reserved(uid, 0.0)
    guard.retain(queue)
    assert ("uid-a" in guard, "uid-b" in guard) == (True, False)


ASKED = Requirements(ResolvedVersion("t", "t", "v", 0), size=VmSize(4, 4096), usb="1")
ROOM = VmSize(8, 8192)
PHONE = (NodeDevice("1", frozenset()),)


@pytest.mark.parametrize(
    ("mac", "claims", "wanted"),
    [
        (SchedulableNode("n", vm_slots=2, devices=PHONE), [], None),  # by number: a place is a place
        (SchedulableNode("n", vm_slots=0, allocatable=ROOM, devices=PHONE), [], None),
        (SchedulableNode("n", vm_slots=None, allocatable=ROOM, devices=PHONE), [], 0.0),
        (
            SchedulableNode("n", vm_slots=None, allocatable=ROOM, devices=PHONE),
            [Claim("n", VmSize(6, 6144))],
            0.5,
        ),
        (SchedulableNode("n", vm_slots=1, allocatable=ROOM, devices=PHONE), [Claim("n", VmSize(1, 1))], 1.0),
        (
            SchedulableNode("n", vm_slots=None, allocatable=ROOM, devices=PHONE),
            [Claim("n", VmSize(1, 1), "1")],
            None,
        ),
    ],
)
def test_deficit(mac: SchedulableNode, claims: list[Claim], wanted: float | None) -> None:
    ledger = Ledger()
    for number, claim in enumerate(claims):
        ledger.record(str(number), claim)
    assert deficit(mac, ASKED, ledger.usage("n")) == wanted
