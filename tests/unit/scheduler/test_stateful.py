"""A cloud that lives: instances come and end, binds fail, Macs drain and change, and no promise is ever broken."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from anka_crds.api import AnkaInstance, NodeState
from anka_scheduler.catalog import TemplateCatalog
from anka_scheduler.decide import RoundResult, decide
from anka_scheduler.filters import match_devices
from anka_scheduler.groups import fallback_chain
from anka_scheduler.host_port import list_wanted_ports
from anka_scheduler.ledger import Claim, Ledger
from anka_scheduler.node import SchedulableNode, to_schedulable
from anka_scheduler.queue import SchedulingQueue
from anka_scheduler.score import Placement
from anka_scheduler.shape import to_shape
from anka_scheduler.snapshot import Snapshot
from anka_scheduler.starvation import StarvationGuard
from support.objects import instance, node, template

GROUPS: dict[str, str | None] = {"ios": "spare", "spare": None, "ring": "ring"}
PHONES = [{"locationId": "1", "group": "phone"}, {"locationId": "2", "group": "phone", "available": True}]
NAMES = [f"mac-{number}" for number in range(4)]
_hardware = st.fixed_dictionaries(
    {
        "cpuCount": st.sampled_from([4, 8]),
        "ramGib": st.sampled_from([6, 10, 18]),
        "usbDevices": st.sampled_from([PHONES, PHONES[:1], []]),
        "vlans": st.sampled_from([[], ["7"]]),
    }
)
_node = st.fixed_dictionaries(
    {
        "slots": st.integers(1, 3),
        "capacityMode": st.sampled_from(["resource", "number"]),
        "arch": st.sampled_from(["amd64", "arm64"]),
        "holds": st.sampled_from([(), ("v1",), ("v2",)]),
        "groups": st.sampled_from([["ios"], ["spare"], ["ios", "spare"], []]),
        "status": _hardware,
    }
)
_resources = st.fixed_dictionaries(
    {"vcpu": st.sampled_from([1, 2, 8]), "memoryMib": st.sampled_from([512, 3000, 6000, 9000])}
)
_wish = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"resources": _resources}),
    st.fixed_dictionaries({"resources": _resources}),
    st.fixed_dictionaries({"group": st.sampled_from(["ios", "spare"])}),
    st.fixed_dictionaries({"group": st.just("ios"), "resources": _resources}),
    st.fixed_dictionaries({"usbDevice": st.sampled_from(["phone", "1"])}),
    st.fixed_dictionaries({"usbDevice": st.just("phone"), "resources": _resources}),
    st.fixed_dictionaries(
        {
            "portForwarding": st.sampled_from([80, 81]).map(
                lambda port: [{"name": "a", "guestPort": 1, "hostPort": port}]
            )
        }
    ),
    st.fixed_dictionaries({"network": st.just({"vlan": "7"})}),
    st.fixed_dictionaries({"node": st.sampled_from(NAMES), "resources": _resources}),
    st.sampled_from([{"tag": "v1"}, {"tag": "nonesuch"}, {"group": "unknown"}, {"group": "ring"}]),
)


class Cloud(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.nodes: dict[str, SchedulableNode] = {}
        self.instances: dict[str, AnkaInstance] = {}
        self.queue = SchedulingQueue()
        self.ledger = Ledger()
        self.guard = StarvationGuard(period=10.0)
        self.now = 0.0
        self.count = 0
        self.placement = Placement.SPREAD
        # No template restricts the architecture: capacity is what this is about.
        self.catalog = TemplateCatalog([template(arch="")])

    @initialize(fleet=st.lists(_node, min_size=2, max_size=4))
    def fleet(self, fleet: list[dict[str, Any]]) -> None:
        for name, fields in zip(NAMES, fleet, strict=False):
            self.mac(name, fields)

    @rule(name=st.sampled_from(NAMES), fields=_node)
    def mac(self, name: str, fields: dict[str, Any]) -> None:
        """A Mac joins, or is another one from now on."""
        self.nodes[name] = to_schedulable(node(name, **fields))

    @precondition(lambda self: len(self.nodes) > 0)
    @rule(data=st.data(), state=st.sampled_from([None, *NodeState, NodeState.ACTIVE]), draining=st.booleans())
    def mac_changes_its_state(self, data: st.DataObject, state: NodeState | None, draining: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.nodes)))
        self.nodes[name] = dataclasses.replace(self.nodes[name], state=state, draining=draining)

    @precondition(lambda self: len(self.nodes) > 1)
    @rule(data=st.data())
    def mac_is_removed(self, data: st.DataObject) -> None:
        del self.nodes[data.draw(st.sampled_from(sorted(self.nodes)))]

    @rule(wishes=st.lists(_wish, min_size=1, max_size=6), priority=st.sampled_from([1000, 1000, 1]))
    def create(self, wishes: list[dict[str, Any]], priority: int) -> None:
        for fields in wishes:
            self.count += 1
            one = instance(f"i{self.count:03}", meta={"age": -self.now}, priority=priority, **fields)
            self.instances[one.metadata.uid] = one
            self.queue.add(one)
        self.round(1.0, None, refused=False)

    @precondition(lambda self: len(self.ledger) > 0)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(sorted(uid for uid, _ in self.ledger.items())))
        self.ledger.record(uid, None)
        del self.instances[uid]

    @rule(placement=st.sampled_from(Placement))
    def prefer(self, placement: Placement) -> None:
        self.placement = placement

    @rule(seconds=st.sampled_from([1.0, 11.0, 50.0]), limit=st.sampled_from([None, None, 1, 2]), refused=st.booleans())
    def round(self, seconds: float, limit: int | None, refused: bool) -> None:
        """`refused`: the API refuses the first bind."""
        self.now += seconds
        before = dict(self.ledger.items())
        decisions = self.decided(limit)
        check = Check(self, before)
        for binding in decisions.bindings:
            check.binding(self.instances[binding.uid], binding.claim, decisions.reserved)
        if limit is None:
            check.nobody_waits_for_nothing(decisions)
        for number, binding in enumerate(decisions.bindings):
            if refused and not number:
                self.ledger.record(binding.uid, None)
            else:
                self.queue.remove(binding.uid)

    def snapshot(self) -> Snapshot:
        return Snapshot(dict(self.nodes), self.catalog, GROUPS, placement=self.placement)

    def decided(self, limit: int | None) -> RoundResult:
        """Decide twice, from copies in another order: the answer is the same."""
        snapshot, ledger, guard = self.snapshot(), Ledger(), StarvationGuard(period=10.0)
        guard._since = dict(self.guard._since)
        for uid, claim in reversed(list(self.ledger.items())):
            ledger.record(uid, claim)
        queue = SchedulingQueue()
        for one in sorted(self.instances.values(), key=lambda one: one.metadata.uid, reverse=True):
            if one.metadata.uid in self.queue:
                queue.add(one)
        turned = dataclasses.replace(snapshot, nodes=dict(reversed(list(snapshot.nodes.items()))))
        again = decide(turned, queue, ledger, limit, guard=guard, now=self.now)
        decisions = decide(snapshot, self.queue, self.ledger, limit, guard=self.guard, now=self.now)
        assert again == decisions
        return decisions

    @invariant()
    def no_device_is_claimed_twice(self) -> None:
        claims = Counter((claim.node, claim.usb) for _, claim in self.ledger.items() if claim.usb is not None)
        assert not [claim for claim, number in claims.items() if number > 1]

    @invariant()
    def no_port_is_claimed_twice(self) -> None:
        claims = Counter((claim.node, port) for _, claim in self.ledger.items() for port in claim.ports)
        assert not [claim for claim, number in claims.items() if number > 1]


class Check:
    """Walks through the bindings of one round in order, with what was taken when each was made."""

    def __init__(self, cloud: Cloud, before: dict[str, Claim]) -> None:
        self.cloud = cloud
        self.ledger = Ledger()
        for uid, claim in before.items():
            self.ledger.record(uid, claim)

    def fits(self, one: AnkaInstance, name: str) -> bool:
        """In the plainest words."""
        mac, spec, use = self.cloud.nodes[name], one.spec, self.ledger.usage(name)
        if mac.state is not NodeState.ACTIVE or mac.draining or spec.tag == "nonesuch":
            return False
        if spec.node not in (None, name):
            return False
        if spec.group is not None and mac.groups.isdisjoint(fallback_chain(spec.group, GROUPS)):
            return False
        known = any(other.vlans for other in self.cloud.nodes.values())
        if spec.network is not None and known and spec.network.vlan not in mac.vlans:
            return False
        if mac.vm_slots is not None and use.vms >= mac.vm_slots:
            return False
        if any(port.excludes(taken) for port in list_wanted_ports(one) for taken in use.ports):
            return False
        vcpus, memory = self.size(one)
        if mac.allocatable is not None and (
            use.vcpus + vcpus > mac.allocatable.vcpus or use.memory_mib + memory > mac.allocatable.memory_mib
        ):
            return False
        return spec.usb_device is None or any(
            device.available and device.location not in use.usb for device in match_devices(mac, spec.usb_device)
        )

    @staticmethod
    def size(one: AnkaInstance) -> tuple[int, int]:
        asked = one.spec.resources
        return (asked.vcpu or 4, asked.memory_mib or 4096) if asked else (4, 4096)

    def binding(self, one: AnkaInstance, claim: Claim, kept: Any) -> None:
        mac, uid = self.cloud.nodes[claim.node], one.metadata.uid
        # What is kept free is so only from those who come after.
        assert claim.node not in kept or self.place(uid) < self.place(kept[claim.node])
        assert self.fits(one, claim.node)
        assert (claim.size.vcpus, claim.size.memory_mib) == self.size(one)
        if one.spec.usb_device is not None:
            assert claim.usb in {device.location for device in match_devices(mac, one.spec.usb_device)}
        if one.spec.group is not None:
            levels = fallback_chain(one.spec.group, GROUPS)
            group_position = next(number for number, name in enumerate(levels) if name in mac.groups)
            for name, other in self.cloud.nodes.items():
                if not other.groups.isdisjoint(levels[:group_position]):
                    # Full, or kept free for somebody before.
                    assert not self.fits(one, name) or name in kept
        self.ledger.record(one.metadata.uid, claim)

    def nobody_waits_for_nothing(self, decisions: RoundResult) -> None:
        """Whoever got nothing fits nowhere, but where room is kept free for one that is served before it."""
        bound = {binding.uid for binding in decisions.bindings}
        order = {uid: self.place(uid) for uid in self.cloud.instances}
        for uid, one in self.cloud.instances.items():
            if uid in bound or uid not in self.cloud.queue:
                continue
            assert decisions.unscheduled[to_shape(one)].message
            for name in self.cloud.nodes:
                if self.fits(one, name):
                    assert order[decisions.reserved[name]] < order[uid]

    def place(self, uid: str) -> tuple[Any, ...]:
        one = self.cloud.instances[uid]
        return one.spec.priority, one.metadata.creation_timestamp, uid


TestCloud = Cloud.TestCase
TestCloud.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
