"""State and conditions of a node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaInstance, AnkaNode, NodeState
from anka_crds.rules.condition_list import find
from anka_crds.rules.references import NO_NAMES, NameCatalog
from anka_kube import merge_patch
from anka_operator.nodes.desired import STUCK_SECONDS, compute_state, compute_status, is_clogged, offline_since
from anka_scheduler.node import to_schedulable
from anka_scheduler.size import TemplateSizes, VmSize
from support.conditions import is_true
from support.objects import START, TEMPLATE, group, instance, node

VALID = {"ankaVersion": {"licenseStatus": "valid"}}
EXPIRED = {"ankaVersion": {"licenseStatus": "expired"}}
REPORTS: list[dict[str, Any]] = [
    {"cpuCount": 8}, {"hostArch": "arm64"}, VALID, {"templates": [{"uuid": TEMPLATE, "name": "macos-15", "tag": "v1"}]},
]  # fmt: skip
DELETED = {"deletionTimestamp": START.isoformat(), "finalizers": ["example.com/mine"]}
UNREPORTED: dict[str, Any] = {"arch": None, "status": {"cpuCount": None}}


@pytest.mark.parametrize(
    ("state", "alive", "more", "wanted"),
    [
        (None, True, {}, NodeState.ACTIVE),
        (None, None, {}, None),
        ("Active", None, {}, NodeState.ACTIVE),
        ("Offline", None, {}, NodeState.OFFLINE),
        ("Offline", True, {}, NodeState.ACTIVE),
        ("Active", False, {}, NodeState.OFFLINE),
        ("Active", True, {"status": VALID}, NodeState.ACTIVE),
        ("Active", True, {"status": {"ankaVersion": {"licenseStatus": "Valid"}}}, NodeState.ACTIVE),
        ("Active", True, {"status": EXPIRED}, NodeState.INACTIVE),
        ("Active", True, {"status": EXPIRED, "drainMode": True}, NodeState.INACTIVE),
        ("Active", True, {"drainMode": True}, NodeState.DRAIN),
        ("Active", False, {"drainMode": True, "status": EXPIRED}, NodeState.OFFLINE),
        ("Drain Mode", True, {}, NodeState.ACTIVE),
        ("Active", True, {"status": {"updating": True}}, NodeState.UPDATING),
        ("Active", True, {"status": {"updating": True, **EXPIRED}, "drainMode": True}, NodeState.UPDATING),
        ("Active", False, {"status": {"updating": True}}, NodeState.OFFLINE),
        ("Updating", None, {"status": {"updating": True}}, NodeState.UPDATING),
        ("Updating", True, {"status": {"updating": False}}, NodeState.ACTIVE),
        ("Active", True, {"status": {"leaving": True}}, NodeState.DRAIN),
        ("Active", False, {"status": {"leaving": True}}, NodeState.OFFLINE),
        # A finalizer keeps it, and its agent has no rights any more, whatever it still sends.
        ("Active", True, {"meta": DELETED}, NodeState.OFFLINE),
        ("Active", None, {"meta": DELETED}, NodeState.OFFLINE),
        ("Active", True, {"meta": DELETED, "status": {"updating": True}}, NodeState.OFFLINE),
        # What beats and has not reported yet is not placed on: nothing of it is known.
        (None, True, UNREPORTED, None),
        (None, True, {**UNREPORTED, "drainMode": True}, None),
        (None, False, UNREPORTED, NodeState.OFFLINE),
        ("Offline", True, UNREPORTED, NodeState.OFFLINE),
        *((None, True, {"arch": None, "status": {"cpuCount": None, **one}}, NodeState.ACTIVE) for one in REPORTS),
        # On anything but a Mac the first template tells the architecture: until then any may come.
        (None, True, {"arch": None}, NodeState.ACTIVE),
    ],
)
def test_state(state: str | None, alive: bool | None, more: dict[str, Any], wanted: NodeState | None) -> None:
    assert compute_state(node(state=state, **more), alive) is wanted


@pytest.mark.parametrize(
    ("alive", "more", "wanted"),
    [
        (True, {}, NodeState.UNHEALTHY),
        (True, {"drainMode": True}, NodeState.UNHEALTHY),
        (True, {"status": EXPIRED}, NodeState.INACTIVE),
        (True, {"status": {"updating": True}}, NodeState.UPDATING),
        (False, {}, NodeState.OFFLINE),
    ],
)
def test_state_of_a_clogged_node(alive: bool, more: dict[str, Any], wanted: NodeState) -> None:
    assert compute_state(node(**more), alive, clogged=True) is wanted


def ago(seconds: float) -> str:
    return (START - timedelta(seconds=seconds)).isoformat()


def there(
    phase: str,
    vm: str | None = None,
    *,
    silent: float = STUCK_SECONDS,
    spec: Any = None,
    template: Any = None,
    **meta: Any,
) -> AnkaInstance:
    """An instance of the node that was last heard of `silent` seconds ago."""
    seen = {
        **({"vm": {"uuid": "u", "name": "n", "status": vm}} if vm else {}),
        **({"template": template} if template else {}),
    }
    return instance(
        status={"nodeName": "mac-1", "phase": phase, "scheduledAt": ago(9000), "updatedAt": ago(silent), **seen},
        meta=meta,
        **(spec or {}),
    )


WELL = there("Started", "running")
STARTING = there("Scheduling", silent=STUCK_SECONDS - 1)
STUCK = there("Scheduling")


@pytest.mark.parametrize(
    ("slots", "instances", "wanted"),
    [
        (2, [], False),
        (2, [STUCK], False),
        (2, [STUCK, STUCK], True),
        (2, [STUCK, STUCK, STUCK], True),
        (2, [STUCK, WELL], False),
        (2, [STUCK, STARTING], False),
        (2, [STUCK, there("Pulling")], True),
        (2, [STUCK, there("Pulling", silent=5)], False),
        (2, [STUCK, there("Started", "stopped")], True),
        (2, [STUCK, there("Started", "failed", silent=5)], False),
        (2, [STUCK, there("Stopping", "suspended")], True),
        # An image is being saved: with its VM suspended, however long it takes.
        (2, [STUCK, there("Pushing", "suspended")], False),
        # These take no place.
        (2, [STUCK, there("Error")], False),
        (2, [STUCK, there("Stopped", "stopped")], False),
        # Failed, but its VM was kept and runs.
        (2, [STUCK, there("Error", "running")], False),
        # Being deleted since a moment, or for ever.
        (2, [STUCK, there("Scheduling", deletionTimestamp=ago(5))], False),
        (2, [STUCK, there("Scheduling", deletionTimestamp=ago(STUCK_SECONDS))], True),
        # Nothing is known of when.
        (1, [instance(status={"nodeName": "mac-1", "phase": "Scheduling"})], False),
        (0, [], False),
    ],
)
def test_clogged(slots: int, instances: list[AnkaInstance], wanted: bool) -> None:
    assert is_clogged(node(slots=slots), instances, START) is wanted


INTEL: dict[str, Any] = {"arch": "amd64", "capacityMode": "resource", "slots": 1}
"""In mode resource: its vCPUs and RAM count, but not the number of VMs."""


def sized(vcpus: int, memory: int, phase: str = "Scheduling", vm: str | None = None, **more: Any) -> AnkaInstance:
    return there(phase, vm, spec={"resources": {"vcpu": vcpus, "memoryMib": memory}}, **more)


@pytest.mark.parametrize(
    ("config", "instances", "wanted"),
    [
        # 8 vCPUs and 8 GiB.
        ({}, [sized(4, 2048)], False),
        ({}, [sized(4, 2048), sized(4, 2048)], True),
        ({}, [sized(3, 2048), sized(3, 2048)], True),
        ({}, [sized(2, 2048), sized(4, 2048)], False),
        ({}, [sized(1, 5000)], True),
        ({}, [sized(1, 4096)], False),
        ({}, [sized(4, 2048), sized(4, 2048, "Started", "running")], False),
        ({}, [sized(4, 2048), sized(4, 2048, silent=5)], False),
        ({}, [], False),
        ({"vcpuOverride": 4}, [sized(4, 2048)], True),
        ({"ramOverrideGib": 2}, [sized(1, 2048)], True),
        # Nothing said: the template's size, here 4 vCPUs and 4 GiB.
        ({}, [STUCK], False),
        ({}, [STUCK, STUCK], True),
        # Apple silicon runs two VMs, however small.
        ({"arch": "arm64", "slots": 2}, [sized(1, 1024), sized(1, 1024)], True),
        # The Mac has not said yet what it has.
        ({"status": {}}, [STUCK, STUCK], False),
    ],
)
def test_clogged_where_resources_count(config: dict[str, Any], instances: list[AnkaInstance], wanted: bool) -> None:
    mac = node(**{**INTEL, "status": {"cpuCount": 4, "ramGib": 10}, **config})
    assert is_clogged(mac, instances, START) is wanted


def test_the_size_of_a_template_counts_where_an_instance_names_none() -> None:
    sizes = TemplateSizes()
    sizes.learn({(TEMPLATE, "v1"): VmSize(1, 1024)})
    resolved: dict[str, Any] = {"template": {"id": TEMPLATE, "name": "macos", "tag": "v1"}}
    mac = node(**INTEL, status={"cpuCount": 4, "ramGib": 10})
    assert not is_clogged(mac, [there("Scheduling", **resolved)] * 2, START, sizes)
    assert is_clogged(mac, [there("Scheduling", **resolved)] * 8, START, sizes)


def after(before: AnkaNode, alive: bool | None, *, at: float = 0, groups: tuple[str, ...] = ()) -> AnkaNode:
    patch = compute_status(before, alive, NameCatalog(map(group, groups)), START + timedelta(seconds=at))
    return before if patch is None else AnkaNode.from_api(merge_patch.apply(before.to_api(), {"status": patch}))


@pytest.mark.parametrize(
    ("more", "alive", "ready", "reason", "other"),
    [
        ({}, True, "True", "Active", None),
        ({"drainMode": True}, True, "True", "Draining", None),
        ({"status": EXPIRED}, True, "False", "InvalidLicense", "Stalled"),
        ({}, False, "False", "NoHeartbeat", "Stalled"),
        ({"meta": DELETED}, True, "False", "Deleted", "Stalled"),
        ({"status": {"updating": True}}, True, "False", "Updating", "Reconciling"),
    ],
)
def test_conditions(more: dict[str, Any], alive: bool, ready: str, reason: str, other: str | None) -> None:
    conditions = after(node(state=None, **more), alive).status.conditions
    found = find(conditions, "Ready")
    assert found is not None
    assert (found.status, found.reason) == (ready, reason)
    assert [kind for kind in ("Reconciling", "Stalled") if is_true(conditions, kind)] == ([other] if other else [])


def test_the_license_is_named() -> None:
    found = find(after(node(status=EXPIRED), True).status.conditions, "Ready")
    assert found is not None
    assert found.message == "The Anka license is expired: run `anka license show` on the Mac"


def test_nothing_known_nothing_written() -> None:
    assert compute_status(node(state=None), None, NO_NAMES, START) is None


@pytest.mark.parametrize("alive", [True, False, None])
def test_what_is_true_already_is_not_written(alive: bool | None) -> None:
    current = after(node(), alive)
    assert compute_status(current, alive, NO_NAMES, START + timedelta(hours=1)) is None


def test_a_new_generation_is_acknowledged() -> None:
    current = after(node(), True)
    changed = current.model_copy(update={"metadata": current.metadata.model_copy(update={"generation": 2})})
    patch = compute_status(changed, True, NO_NAMES, START)
    assert patch is not None
    assert patch["observedGeneration"] == 2


def test_unknown_groups_are_told_until_they_exist() -> None:
    told = after(node(groups=["ios", "mac", "known"]), True, groups=("known",))
    found = find(told.status.conditions, "UnknownGroups")
    assert found is not None
    assert found.message == "There is no NodeGroup ios, mac: create it, or correct spec.groups"
    named = NameCatalog([group("g-1", called="ios"), group("g-2", called="mac"), group("g-3", called="mac")])
    patch = compute_status(node(groups=["ios", "mac"]), True, named, START)
    assert patch is not None
    (unknown,) = (one for one in patch["conditions"] if one["type"] == "UnknownGroups")
    assert unknown["message"] == "2 NodeGroups are called mac: give the metadata.name of one: g-2, g-3"
    assert find(after(told, True, groups=("known", "ios", "mac")).status.conditions, "UnknownGroups") is None


def test_since_when_it_is_silent() -> None:
    """Counted from the last heartbeat's end, whatever was wrong with the node before."""
    before = after(node(status=EXPIRED), True, at=0)
    assert offline_since(before) is None
    silent = after(before, False, at=1000)
    assert offline_since(silent) == START + timedelta(seconds=1000)
    assert offline_since(after(silent, None, at=2000)) == START + timedelta(seconds=1000)
    assert offline_since(after(silent, True, at=2000)) is None
    assert offline_since(after(after(silent, True, at=2000), False, at=3000)) == START + timedelta(seconds=3000)


def test_a_clogged_node_says_so() -> None:
    patch = compute_status(node(slots=1), True, NO_NAMES, START, instances=[STUCK])
    assert patch is not None
    ready = next(condition for condition in patch["conditions"] if condition["type"] == "Ready")
    assert (patch["state"], ready["reason"]) == ("Unhealthy", "Unhealthy")
    assert ready["message"] == "All places are taken, but none of the VMs is running"


@pytest.mark.parametrize(
    ("told", "kind", "reason"),
    [
        ({}, "Reconciling", "AgentUpdate"),
        ({"agentUpdate": {"version": "1.5", "failed": True}}, "Reconciling", "AgentUpdate"),
        ({"agentUpdate": {"version": "2", "failed": True}}, "Stalled", "AgentUpdateFailed"),
    ],
)
def test_a_node_whose_agent_is_to_be_another_works_but_is_not_done(
    told: dict[str, Any], kind: str, reason: str
) -> None:
    before = node(status={"agentVersion": "1", **told}, agentVersion="2")
    patch = compute_status(before, True, NO_NAMES, START)
    assert patch is not None
    shown = {condition["type"]: condition["reason"] for condition in patch["conditions"]}
    assert shown == {"Ready": "Active", kind: reason, "Alive": "Heartbeat"}
    seen = AnkaNode.from_api(merge_patch.apply(before.to_api(), {"status": patch}))
    assert compute_status(seen, True, NO_NAMES, START + timedelta(hours=1)) is None, "said once, not at every look"


@pytest.mark.parametrize(
    ("report", "state", "words"),
    [
        ({"problem": "anka version: no such command"}, "Unhealthy", "anka version: no such command"),
        ({"problem": "x", "ankaVersion": {"licenseStatus": "expired"}}, "Inactive (Invalid License)", "expired"),
        ({}, "Active", "Takes instances"),
    ],
)
def test_what_the_agent_says_is_wrong(report: dict[str, Any], state: str, words: str) -> None:
    mac = node("mac-1", status={"state": "Active", "cpuCount": 8, **report})
    assert compute_state(mac, True) == state
    assert to_schedulable(mac).state == state, "the scheduler does not wait for the state"
    patch = compute_status(mac, True, NO_NAMES, datetime(2026, 1, 1, tzinfo=UTC))
    assert patch is not None
    (ready,) = [one for one in patch["conditions"] if one["type"] == "Ready"]
    assert words in ready["message"]
