"""The scheduler's state follows the caches, and believes in binds under way until they are settled."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from anka_operator.cluster.stores import ClusterStores
from anka_operator.registry_view.view import RegistryView
from anka_operator.scheduling import state as state_module
from anka_operator.scheduling.state import SchedulerState
from anka_scheduler.ledger import Claim
from anka_scheduler.reasons import WaitReason
from anka_scheduler.shape import Shape
from anka_scheduler.size import VmSize
from support.objects import group, instance, node, permission_group, template


class Desk:
    def __init__(self) -> None:
        self.stores = ClusterStores()
        self.changes = 0
        self.now = 0.0
        self.view = RegistryView(self.stores.templates, None)
        self.state = SchedulerState(self.stores, self.view, self._changed, lambda: self.now)

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_what_was_there_before_counts() -> None:
    desk = Desk()
    desk.stores.instances.observe(instance("waits"))
    desk.stores.instances.observe(instance("runs", status={"nodeName": "mac-1", "phase": "Started"}))
    desk.stores.nodes.observe(node())
    later = SchedulerState(desk.stores, desk.view, desk._changed, lambda: 5.0)
    await later.load()
    assert (len(later.queue), later.ledger.count_instances("mac-1"), list(later.snapshot().nodes)) == (1, 1, ["mac-1"])
    assert later.waiting_since == {"uid-waits": 5.0}


async def test_what_was_there_is_taken_in_slices_and_as_it_is_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands at once would keep the leader from renewing its Lease."""
    monkeypatch.setattr(state_module, "SLICE", 2)
    desk = Desk()
    names = [f"i-{number}" for number in range(6)]
    for name in names:
        desk.stores.instances.observe(instance(name))
    later = SchedulerState(desk.stores, desk.view, desk._changed, lambda: 5.0)
    loading = asyncio.create_task(later.load())
    await asyncio.sleep(0)
    assert 0 < len(later.queue) < len(names)
    bound = instance("i-4", meta={"version": 2}, status={"nodeName": "mac-1", "phase": "Scheduling"})
    desk.stores.instances.observe(bound)
    desk.stores.instances.observe_deleted(("default", "i-5"), "uid-i-5", "3")
    desk.stores.instances.observe(instance("new"))
    await loading
    assert {queued for queued in (f"uid-{name}" for name in [*names, "new"]) if queued in later.queue} == {
        "uid-i-0", "uid-i-1", "uid-i-2", "uid-i-3", "uid-new"
    }  # fmt: skip
    assert later.ledger.count_instances("mac-1") == 1


def test_a_life(desk: Desk) -> None:
    state, instances = desk.state, desk.stores.instances
    instances.observe(instance(meta={"version": 1}))
    assert "uid-one" in state.queue
    state.assume("uid-one", Claim("mac-1"))
    assert ("uid-one" in state.queue, state.ledger.count_instances("mac-1")) == (False, 1)
    # Somebody touches it while the bind is under way: it must not wait again.
    instances.observe(instance(meta={"version": 2}, priority=5))
    assert ("uid-one" in state.queue, state.ledger.count_instances("mac-1")) == (False, 1)
    instances.observe(instance(meta={"version": 3}, status={"nodeName": "mac-1"}))
    state.settle("uid-one")
    assert (state.assumed, state.ledger.count_instances("mac-1"), state.waiting_since) == ({}, 1, {})
    instances.observe(instance(meta={"version": 4}, status={"nodeName": "mac-1", "phase": "Error"}))
    assert state.ledger.count_instances("mac-1") == 0
    instances.observe_deleted(("default", "one"), "uid-one", "5")
    assert len(state.queue) == 0
    assert desk.changes == 5


def test_a_bind_that_failed_waits_again_and_gives_back_its_room(desk: Desk) -> None:
    desk.stores.instances.observe(instance())
    desk.now = 7.0
    desk.state.assume("uid-one", Claim("mac-1"))
    desk.state.settle("uid-one")
    assert ("uid-one" in desk.state.queue, desk.state.ledger.count_instances("mac-1")) == (True, 0)
    assert desk.state.waiting_since == {"uid-one": 0.0}


def test_one_deleted_during_its_bind_is_forgotten(desk: Desk) -> None:
    desk.stores.instances.observe(instance())
    desk.state.assume("uid-one", Claim("mac-1"))
    desk.stores.instances.observe_deleted(("default", "one"), "uid-one", "9")
    desk.state.settle("uid-one")
    assert (len(desk.state.queue), desk.state.ledger.count_instances("mac-1"), desk.state.assumed) == (0, 0, {})


def test_a_failed_vm_that_still_runs_takes_its_place(desk: Desk) -> None:
    vm = {"uuid": "u", "name": "n", "status": "running"}
    desk.stores.instances.observe(instance(status={"nodeName": "mac-1", "phase": "Error", "vm": vm}))
    assert desk.state.ledger.count_instances("mac-1") == 1


def test_nodes_wake_only_when_it_matters(desk: Desk) -> None:
    desk.stores.nodes.observe(node(meta={"version": 1}))
    desk.stores.nodes.observe(node(meta={"version": 2}, status={"usage": {"vmCount": 3}}))
    assert desk.changes == 1
    desk.stores.nodes.observe(node(meta={"version": 3}, drainMode=True))
    assert desk.changes == 2
    assert desk.state.snapshot().nodes["mac-1"].draining
    desk.stores.nodes.observe_deleted(("", "mac-1"), "uid-mac-1", "4")
    assert desk.changes == 3
    assert desk.state.snapshot().nodes == {}


def test_templates_and_groups(desk: Desk) -> None:
    desk.stores.templates.observe(template())
    desk.stores.groups.observe(group("ios", "spare"))
    world = desk.state.snapshot()
    assert Counter(world.fallbacks) == {"ios": "spare"}
    assert world.catalog.resolve(Shape("macos-15"))
    desk.stores.templates.observe(template(name="renamed", meta={"version": 2}))
    assert type(desk.state.snapshot().catalog.resolve(Shape("macos-15"))).__name__ == "WaitReason"


def test_a_group_that_gets_its_name_later_has_its_macs_then(desk: Desk) -> None:
    desk.stores.nodes.observe(node("mac-1", groups=["iOS Team"]))
    desk.stores.groups.observe(group("g-1"))
    assert desk.state.snapshot().nodes["mac-1"].groups == {"iOS Team"}
    changes = desk.changes
    named = group("g-1", called="iOS Team")
    named.metadata.resource_version = "2"
    desk.stores.groups.observe(named)
    assert desk.state.snapshot().nodes["mac-1"].groups == {"g-1"}
    assert desk.changes > changes
    desk.stores.nodes.observe(node("mac-2", groups=["g-1", "iOS Team"]))
    assert desk.state.snapshot().nodes["mac-2"].groups == {"g-1"}


def test_sizes_come_from_the_nodes(desk: Desk) -> None:
    held = [{"uuid": "t", "name": "t", "tag": "v1", "vcpu": 6, "memoryMib": 8192}]
    desk.stores.nodes.observe(node(status={"templates": held}))
    bound = {"nodeName": "mac-1", "phase": "Started", "template": {"id": "t", "tag": "v1"}}
    desk.stores.instances.observe(instance(status=bound, usbDevice="7"))
    assert desk.state.ledger.claim("uid-one") == Claim("mac-1", VmSize(6, 8192), "7")
    assert desk.state.snapshot().sizes.lookup("t", "v1") == VmSize(6, 8192)


def test_a_mac_that_has_pulled_a_template_changes_none_for_who_waits(desk: Desk) -> None:
    """Every pull is written into the AnkaTemplate."""
    desk.stores.templates.observe(template())
    before, changes = desk.state.snapshot().catalog, desk.changes
    held = {"nodes": [{"nodeName": "mac-1", "tag": "v1"}]}
    desk.stores.templates.observe(template(status=held, meta={"version": 2}))
    assert desk.state.snapshot().catalog is before
    assert desk.changes == changes
    for version, changed in enumerate(
        (
            template(status=held, tags=("v1", "v2", "v3"), meta={"version": 3}),
            template(status=held, name="renamed", meta={"version": 4}),
            template(status=held, name="renamed", displayName="Sequoia", meta={"version": 5}),
            template(status=held, displayName="Sequoia", arch="amd64", meta={"version": 6}),
            template(arch="amd64", meta={"version": 7, "deletionTimestamp": "2026-01-01T00:00:00Z"}),
        ),
        1,
    ):
        before = desk.state.snapshot().catalog
        desk.stores.templates.observe(changed)
        assert desk.state.snapshot().catalog is not before
        assert desk.changes == changes + version


@pytest.mark.parametrize("change", ["node", "gone", "template", "group"])
def test_what_is_known_of_a_shape_ends_with_the_next_change(desk: Desk, change: str) -> None:
    """Which nodes are possible is found once for many rounds, and never outlives what it was found from."""
    desk.stores.templates.observe(template())
    desk.stores.groups.observe(group("ios", "spare"))
    desk.stores.nodes.observe(node("a", groups=["spare"]))
    desk.stores.nodes.observe(node("b"))
    shape = Shape("macos-15", group="ios")

    def possible() -> object:
        found = desk.state.snapshot().candidates(shape)
        return found if isinstance(found, WaitReason) else [one.name for one, _, _ in found.nodes]

    first = desk.state.snapshot().candidates(shape)
    assert desk.state.snapshot().candidates(shape) is first
    desk.stores.nodes.observe(node("b", meta={"version": 2}, status={"usage": {"vmCount": 3}}))
    assert desk.state.snapshot().candidates(shape) is first
    told = group("ios", "spare", observedGeneration=1)
    metadata = told.metadata.model_copy(update={"resource_version": "2"})
    desk.stores.groups.observe(told.model_copy(update={"metadata": metadata}))
    assert desk.state.snapshot().candidates(shape) is first
    assert possible() == []  # "spare" does not exist
    if change == "node":
        desk.stores.nodes.observe(node("b", meta={"version": 3}, groups=["ios"]))
        assert possible() == ["b"]
    elif change == "gone":
        desk.stores.nodes.observe_deleted(("", "b"), "uid-b", "3")
        assert possible() == []
        assert desk.state.snapshot().candidates(shape) is not first
    elif change == "template":
        desk.stores.templates.observe(template(name="renamed", meta={"version": 2}))
        assert isinstance(possible(), WaitReason)
    else:
        desk.stores.groups.observe(group("spare"))
        assert possible() == ["a"]


def test_closed(desk: Desk) -> None:
    desk.state.close()
    desk.stores.instances.observe(instance())
    assert (desk.changes, len(desk.state.queue)) == (0, 0)


def test_permission_groups_count_from_the_next_round_on(desk: Desk) -> None:
    state = SchedulerState(desk.stores, desk.view, desk._changed, lambda: 0.0, enforces_permissions=True)
    desk.stores.nodes.observe(node())
    desk.stores.templates.observe(template())
    shape = Shape(template().metadata.name, permission_group="ios")

    def find() -> object:
        found = state.snapshot().candidates(shape)
        return found.reason if isinstance(found, WaitReason) else [each.name for each, _, _ in found.nodes]

    assert find() == "PermissionGroupNotFound"
    changes = desk.changes
    desk.stores.permission_groups.observe(permission_group("ios", nodes={"mac-1": ["create_instance"]}))
    assert (find(), desk.changes) == (["mac-1"], changes + 2), "both states here follow the store"
    ios = permission_group("ios", nodes={"mac-1": ["list"]}, meta={"version": 2})
    desk.stores.permission_groups.observe(ios)
    assert find() == []
    desk.stores.permission_groups.observe_deleted(("", "ios"), "uid-ios", "3")
    assert find() == "PermissionGroupNotFound"
    unrestricted = desk.state.snapshot().candidates(shape)
    assert not isinstance(unrestricted, WaitReason), "they are not enforced there"
