"""Rounds of scheduling: cases first, then what must hold in every world."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import AnkaInstance, AnkaNode, NodeState
from anka_scheduler.catalog import ResolvedVersion, TemplateCatalog
from anka_scheduler.decide import RoundResult, decide
from anka_scheduler.explain import build_input
from anka_scheduler.filters import Requirements, first_rejection
from anka_scheduler.groups import fallback_chain
from anka_scheduler.ledger import Claim, Ledger
from anka_scheduler.node import to_schedulable
from anka_scheduler.queue import SchedulingQueue
from anka_scheduler.score import Placement
from anka_scheduler.shape import to_shape
from anka_scheduler.size import VmSize
from anka_scheduler.snapshot import Snapshot
from support.objects import TEMPLATE, instance, node, template


def world(*nodes: AnkaNode, fallbacks: dict[str, str | None] | None = None) -> Snapshot:
    return Snapshot(
        {one.metadata.name: to_schedulable(one) for one in nodes}, TemplateCatalog([template()]), fallbacks or {}
    )


def queue_of(*instances: AnkaInstance) -> SchedulingQueue:
    queue = SchedulingQueue()
    for one in instances:
        queue.add(one)
    return queue


def ran(decisions: RoundResult) -> dict[str, str]:
    return {binding.uid.removeprefix("uid-"): binding.node for binding in decisions.bindings}


def test_urgent_instances_get_the_room_that_there_is() -> None:
    queue = queue_of(instance("a", meta={"age": 9}), instance("b"), instance("urgent", priority=1))
    decisions = decide(world(node(slots=2)), queue, Ledger())
    assert ran(decisions) == {"urgent": "mac-1", "a": "mac-1"}
    assert decisions.unscheduled[to_shape(instance())].message == "0/1 node fit: 1 full"
    assert len(queue) == 3


def test_bindings_count_at_once() -> None:
    ledger = Ledger()
    decide(world(node("a", slots=1), node("b", slots=1)), queue_of(instance("x"), instance("y")), ledger)
    assert (ledger.count_instances("a"), ledger.count_instances("b")) == (1, 1)


def test_the_template_at_hand_beats_an_empty_node() -> None:
    ledger = Ledger()
    ledger.record("other", Claim("holder"))
    decisions = decide(world(node("empty"), node("holder", holds=("v2",))), queue_of(instance("x")), ledger)
    assert [(one.node, one.needs_pull, one.template.tag) for one in decisions.bindings] == [("holder", False, "v2")]
    decisions = decide(world(node("empty"), node("older", holds=("v1",))), queue_of(instance("x")), Ledger())
    assert [(one.node, one.needs_pull) for one in decisions.bindings] == [("older", True)]


def test_one_for_a_full_node_does_not_hold_up_others() -> None:
    full = Ledger()
    full.record("other", Claim("mac-1"))
    queue = queue_of(instance("wants-mac-1", node="mac-1", priority=1), instance("any"))
    decisions = decide(world(node("mac-1", slots=1), node("mac-2")), queue, full)
    assert ran(decisions) == {"any": "mac-2"}
    assert [why.message for why in decisions.unscheduled.values()] == ["Node mac-1 is full"]


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        ({"node": "mac-9"}, "NodeNotFound", "There is no node mac-9"),
        ({"group": "nonesuch"}, "GroupNotFound", "There is no NodeGroup nonesuch"),
        ({"template": "nonesuch"}, "TemplateNotFound", "No template nonesuch in the registry"),
        ({"group": "ios"}, "GroupEmpty", "No node is in group ios, nor in its fallback spare"),
        ({"node": "mac-1", "group": "ios"}, "Unschedulable", "Node mac-1 is not in group ios"),
    ],
)
def test_reasons(spec: dict[str, Any], reason: str, message: str) -> None:
    decisions = decide(world(node(), fallbacks={"ios": "spare", "spare": None}), queue_of(instance(**spec)), Ledger())
    assert decisions.bindings == []
    assert [(why.reason, why.message) for why in decisions.unscheduled.values()] == [(reason, message)]


def test_no_nodes_at_all() -> None:
    decisions = decide(world(), queue_of(instance()), Ledger())
    assert [why.message for why in decisions.unscheduled.values()] == ["There are no nodes yet"]


def test_the_fallback_is_used_once_the_group_is_full() -> None:
    macs = (node("a", slots=1, groups=["ios"]), node("b", slots=3, groups=["spare"], holds=("v2",)))
    queue = queue_of(*(instance(f"x{number}", meta={"age": 9 - number}, group="ios") for number in range(3)))
    decisions = decide(world(*macs, fallbacks={"ios": "spare", "spare": None}), queue, Ledger())
    assert ran(decisions) == {"x0": "a", "x1": "b", "x2": "b"}


def test_packing_fills_one_mac_after_the_other() -> None:
    """Also when another shape put something somewhere meanwhile: c has become better than b."""
    macs = [node(name, slots=2) for name in ("a", "b", "c")]
    specs: list[dict[str, Any]] = [{}, {"node": "c"}, {}, {}, {}]
    queue = queue_of(*(instance(f"x{n}", meta={"age": 9 - n}, **spec) for n, spec in enumerate(specs)))
    packed = dataclasses.replace(world(*macs), placement=Placement.PACK)
    assert ran(decide(packed, queue, Ledger())) == {"x0": "a", "x1": "c", "x2": "a", "x3": "c", "x4": "b"}
    spread = ran(decide(world(*macs), queue, Ledger()))
    assert spread == {"x0": "a", "x1": "c", "x2": "b", "x3": "a", "x4": "b"}


def test_devices_are_handed_out_one_by_one() -> None:
    phones = {"usbDevices": [{"locationId": "2", "group": "phone"}, {"locationId": "1", "group": "phone"}]}
    queue = queue_of(*(instance(f"x{n}", meta={"age": 9 - n}, usbDevice="phone") for n in range(3)), instance("plain"))
    decisions = decide(world(node(slots=5, status=phones)), queue, Ledger())
    assert [(one.uid, one.claim.usb) for one in decisions.bindings] == [
        ("uid-x0", "1"), ("uid-x1", "2"), ("uid-plain", None),
    ]  # fmt: skip
    assert [why.message for why in decisions.unscheduled.values()] == ["0/1 node fit: 1 has usb phone in use"]


def test_a_template_takes_what_a_mac_that_holds_it_says() -> None:
    held = [{"uuid": TEMPLATE, "name": "macos-15", "tag": "v2", "vcpu": 6, "memoryMib": 1024}]
    mac = node(capacityMode="resource", vcpuOverride=10, status={"ramGib": 64, "templates": held})
    seen = build_input(nodes=[mac], templates=[template()], instances=[instance("a"), instance("b")])
    decisions = decide(seen.snapshot, seen.queue, seen.ledger)
    assert [one.claim.size for one in decisions.bindings] == [VmSize(6, 1024)]
    assert [why.message for why in decisions.unscheduled.values()] == ["0/1 node fit: 1 lacks vCPUs"]


def test_vlans_count_once_any_mac_reports_them() -> None:
    queue = queue_of(instance("x", network={"vlan": "7"}))
    assert ran(decide(world(node("a")), queue, Ledger())) == {"x": "a"}
    knowing = world(node("a"), node("b", status={"vlans": ["8"]}))
    assert [why.message for why in decide(knowing, queue, Ledger()).unscheduled.values()] == [
        "0/2 nodes fit: 2 lack vlan 7"
    ]
    assert ran(decide(world(node("a"), node("b", status={"vlans": ["7"]})), queue, Ledger())) == {"x": "b"}


def test_only_those_before() -> None:
    queue = queue_of(*(instance(f"x{number}", meta={"age": 9 - number}) for number in range(3)))
    second = queue.waiting(queue.shapes[0])[1]
    assert list(ran(decide(world(node(slots=9)), queue, Ledger(), before=second))) == ["x0"]


def test_a_limit_ends_the_round_without_an_answer_for_the_rest() -> None:
    queue = queue_of(*(instance(f"x{number}", meta={"age": 9 - number}) for number in range(3)))
    decisions = decide(world(node(slots=9)), queue, Ledger(), limit=2)
    assert list(ran(decisions)) == ["x0", "x1"]
    assert decisions.unscheduled == {}


def test_ten_thousand_alike_cost_one_answer() -> None:
    """Counted, not timed: the nodes are looked at once for the shape, not once for each instance."""
    looked = Counter[str]()

    @dataclass(frozen=True)
    class Counting(Snapshot):
        def __post_init__(self) -> None:
            nodes = self.nodes

            class Mapping(dict):  # type: ignore[type-arg]
                def values(self):  # type: ignore[no-untyped-def]
                    looked["scans"] += 1
                    return nodes.values()

            object.__setattr__(self, "nodes", Mapping(nodes))

    real = world(node(slots=1), node("mac-2", slots=1))
    queue = queue_of(*(instance(f"x{number}") for number in range(10_000)))
    decisions = decide(Counting(real.nodes, real.catalog), queue, Ledger())
    assert len(decisions.bindings) == 2
    assert looked["scans"] == 1


# --- what holds in every world ---

GROUPS: dict[str, str | None] = {"g0": "g1", "g1": "g2", "g2": None, "ring": "ring"}
_group = st.sampled_from([None, *GROUPS, "unknown"])
_nodes: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.builds(
        dict,
        state=st.sampled_from([None, *(state.value for state in NodeState)] + ["Active"] * 8),
        slots=st.integers(0, 3),
        arch=st.sampled_from(["arm64", "arm64", "amd64", None]),
        holds=st.sampled_from([(), ("v1",), ("v2",), ("v1", "v2")]),
        drainMode=st.sampled_from([False, False, False, True]),
        groups=st.lists(st.sampled_from(["g0", "g1", "g2"]), unique=True, max_size=2),
    ),
    max_size=6,
)
_instances: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.builds(
        dict,
        priority=st.sampled_from([1, 1000, 10_000]),
        age=st.integers(0, 4),
        tag=st.sampled_from([None, None, "v1", "nonesuch"]),
        node=st.sampled_from([None, None, None, "mac-0", "mac-5"]),
        group=_group,
    ),
    max_size=12,
)
_taken = st.dictionaries(
    st.text("xyz", min_size=1, max_size=3), st.integers(0, 5).map(lambda n: f"mac-{n}"), max_size=6
)


class Case:
    """A random world with a queue and instances that run already."""

    def __init__(self, nodes: list[dict[str, Any]], instances: list[dict[str, Any]], taken: dict[str, str]) -> None:
        macs = [node(f"mac-{number}", **fields) for number, fields in enumerate(nodes)]
        self.snapshot = world(*macs, fallbacks=GROUPS)
        self.instances = {}
        self.queue = SchedulingQueue()
        for number, fields in enumerate(instances):
            spec = {key: value for key, value in fields.items() if key != "age" and value is not None}
            one = instance(f"i{number:02}", meta={"age": fields["age"]}, **spec)
            self.instances[one.metadata.uid] = one
            self.queue.add(one)
        self.taken = taken

    def ledger(self) -> Ledger:
        ledger = Ledger()
        for uid, where in self.taken.items():
            ledger.record(uid, Claim(where))
        return ledger

    def fits(self, one: AnkaInstance, where: str, ledger: Ledger) -> bool:
        """Said again in the plainest way, for one instance and one node."""
        shape = to_shape(one)
        resolved = self.snapshot.catalog.resolve(shape)
        if not isinstance(resolved, ResolvedVersion) or shape.node not in (None, where):
            return False
        groups = () if shape.group is None else fallback_chain(shape.group, GROUPS)
        if shape.group is not None and not groups:
            return False
        return first_rejection(self.snapshot.nodes[where], Requirements(resolved, groups), ledger.usage(where)) is None


_cases = st.builds(Case, _nodes, _instances, _taken)


@given(_cases)
def test_every_binding_is_allowed_and_none_is_over_capacity(case: Case) -> None:
    decisions = decide(case.snapshot, case.queue, case.ledger())
    ledger = case.ledger()
    for binding in decisions.bindings:
        assert case.fits(case.instances[binding.uid], binding.node, ledger)
        seen = case.snapshot.nodes[binding.node]
        assert seen.state is NodeState.ACTIVE
        assert not seen.draining
        ledger.record(binding.uid, binding.claim)
        assert seen.vm_slots is not None
        assert ledger.count_instances(binding.node) <= seen.vm_slots
    assert len({binding.uid for binding in decisions.bindings}) == len(decisions.bindings)


@given(_cases)
def test_whoever_waits_could_run_nowhere_and_is_told_why(case: Case) -> None:
    ledger = case.ledger()
    decisions = decide(case.snapshot, case.queue, ledger)
    bound = {binding.uid for binding in decisions.bindings}
    for uid, one in case.instances.items():
        if uid not in bound:
            assert not any(case.fits(one, where, ledger) for where in case.snapshot.nodes)
            assert decisions.unscheduled[to_shape(one)].message


@given(_cases)
def test_nobody_is_overtaken(case: Case) -> None:
    """Each binding was made in order: when an instance was served, none before it in the queue could have run."""
    decisions = decide(case.snapshot, case.queue, case.ledger())
    order = sorted(
        case.instances.values(),
        key=lambda one: (one.spec.priority, one.metadata.creation_timestamp, one.metadata.uid),
    )
    place = {one.metadata.uid: number for number, one in enumerate(order)}
    assert [place[binding.uid] for binding in decisions.bindings] == sorted(
        place[binding.uid] for binding in decisions.bindings
    )
    ledger = case.ledger()
    bindings = {binding.uid: binding for binding in decisions.bindings}
    for one in order:
        binding = bindings.get(one.metadata.uid)
        if binding is None:
            assert not any(case.fits(one, where, ledger) for where in case.snapshot.nodes)
        else:
            ledger.record(binding.uid, binding.claim)


@given(_cases)
def test_a_fallback_only_when_nothing_before_it_fits(case: Case) -> None:
    ledger = case.ledger()
    for binding in decide(case.snapshot, case.queue, case.ledger()).bindings:
        one = case.instances[binding.uid]
        if one.spec.group is not None:
            levels = fallback_chain(one.spec.group, GROUPS)
            chosen = case.snapshot.nodes[binding.node].groups
            group_position = next(number for number, name in enumerate(levels) if name in chosen)
            for where, other in case.snapshot.nodes.items():
                if not other.groups.isdisjoint(levels[:group_position]):
                    assert not case.fits(one, where, ledger)
        ledger.record(binding.uid, binding.claim)


@given(_cases, st.randoms(use_true_random=False))
def test_the_order_in_which_things_became_known_does_not_matter(case: Case, random: Random) -> None:
    first = decide(case.snapshot, case.queue, case.ledger())
    names = list(case.snapshot.nodes)
    ones = list(case.instances.values())
    random.shuffle(names)
    random.shuffle(ones)
    shuffled = Snapshot({name: case.snapshot.nodes[name] for name in names}, case.snapshot.catalog, GROUPS)
    again = decide(shuffled, queue_of(*ones), case.ledger())
    assert again.bindings == first.bindings
    assert again.unscheduled == first.unscheduled


@given(_cases, st.integers(0, 5))
def test_rounds_with_a_limit_end_at_the_same_place(case: Case, limit: int) -> None:
    whole = decide(case.snapshot, case.queue, case.ledger()).bindings
    ledger, parts = case.ledger(), []
    while True:
        part = decide(case.snapshot, case.queue, ledger, limit=limit + 1).bindings
        for binding in part:
            case.queue.remove(binding.uid)
        parts += part
        if not part:
            break
    assert parts == whole
