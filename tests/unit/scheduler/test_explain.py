"""Dry runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from anka_crds.api import AnkaInstance, AnkaNode
from anka_crds.api.conditions import InstanceReason
from anka_scheduler import reasons
from anka_scheduler.decide import Binding
from anka_scheduler.explain import Explanation, build_input, explain
from anka_scheduler.ledger import Claim
from anka_scheduler.queue import QueuedInstance
from anka_scheduler.reasons import WaitReason
from anka_scheduler.score import Placement
from anka_scheduler.size import VmSize
from support.objects import group, instance, node, permission_group, template

NODES = [
    node("busy", slots=1, groups=["ios"]),
    node("drained", drainMode=True, groups=["ios"]),
    node("holder", slots=3, holds=("v2",), groups=["spare"]),
    node("free", slots=3, groups=["spare"], status={"usbDevices": [{"locationId": "7", "group": "phone"}]}),
    node("gone", state="Offline"),
]
RUNS = instance("runs", status={"nodeName": "busy", "phase": "Started"})


def ask(
    *others: AnkaInstance, nodes: list[AnkaNode] = NODES, priority: int = 1000, **spec: Any
) -> tuple[Explanation, list[tuple[str, str]]]:
    seen = build_input(
        nodes=nodes,
        templates=[template()],
        groups=[group("ios", "spare"), group("spare")],
        instances=[RUNS, *others],
    )
    place = QueuedInstance(priority, datetime(2026, 1, 2, tzinfo=UTC), "")
    found = explain(instance("new", **spec), seen, place)
    assessments = [(one.node.name, one.rejection.predicate if one.rejection else "fits") for one in found.assessments]
    return found, assessments


def test_a_group_is_told_which_nodes_are_closed_to_it() -> None:
    ios = permission_group("ios", nodes={"free": ["create_instance"]})
    seen = build_input(nodes=NODES, templates=[template()], instances=[RUNS], permission_groups=[ios])
    place = QueuedInstance(1000, datetime(2026, 1, 2, tzinfo=UTC), "")
    found = explain(instance("new", permissionGroup="ios"), seen, place)
    assert isinstance(found.answer, Binding)
    assert found.answer.node == "free"
    closed = [one.node.name for one in found.assessments if one.rejection == reasons.closed_to("ios")]
    assert closed == ["busy", "drained", "gone", "holder"]


def test_where_it_would_go_and_what_is_against_the_others() -> None:
    found, assessments = ask()
    assert isinstance(found.answer, Binding)
    assert (found.answer.node, found.answer.needs_pull, found.ahead) == ("holder", False, 0)
    assert assessments == [
        ("holder", "fits"),
        ("free", "fits"),
        ("busy", "is full"),
        ("drained", "is draining"),
        ("gone", "is offline"),
    ]
    assert [one.needs_pull for one in found.assessments[:2]] == [False, True]
    assert [one.usage.vms for one in found.assessments] == [0, 0, 1, 0, 0]  # before it has gone there itself


def test_fallbacks_show_how_far_they_are() -> None:
    found, assessments = ask(group="ios")
    assert [(one.node.name, one.group_position) for one in found.assessments if one.rejection is None] == [
        ("holder", 1),
        ("free", 1),
    ]
    assert assessments[-1] == ("gone", "is not in group ios")


def test_who_waits_before_it_is_served_first() -> None:
    """Three urgent ones take what holds the template; one that can't run is not in the way; later ones don't count."""
    urgent = [instance(f"u{number}", priority=1) for number in range(3)]
    found, _ = ask(*urgent, instance("stuck", node="busy"), instance("later", priority=2000))
    assert isinstance(found.answer, Binding)
    assert (found.answer.node, found.ahead, found.placed) == ("free", 4, 3)
    assert next(one for one in found.assessments if one.node.name == "holder").usage.vms == 3


def test_the_device_it_would_get() -> None:
    found, assessments = ask(usbDevice="phone")
    assert isinstance(found.answer, Binding)
    assert (found.answer.node, found.answer.claim.usb) == ("free", "7")
    assert assessments[1:3] == [("busy", "lacks usb phone"), ("drained", "lacks usb phone")]


def test_one_that_names_its_node() -> None:
    found, assessments = ask(node="busy")
    assert found.answer == WaitReason(InstanceReason.UNSCHEDULABLE, "Node busy is full")
    assert assessments[0] == ("busy", "is full")
    assert {words for _, words in assessments[1:]} == {"is not the requested node"}


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"template": "nonesuch"}, "TemplateNotFound"),
        ({"group": "no"}, "GroupNotFound"),
        ({"node": "no"}, "NodeNotFound"),
    ],
)
def test_what_does_not_exist_needs_no_table(spec: dict[str, Any], reason: str) -> None:
    found, assessments = ask(**spec)
    assert isinstance(found.answer, WaitReason)
    assert (found.answer.reason, assessments) == (reason, [])


def test_nothing_fits() -> None:
    found, _ = ask(nodes=NODES[:2])
    assert found.answer == WaitReason(InstanceReason.UNSCHEDULABLE, "0/2 nodes fit: 1 draining, 1 full")


def test_snapshot() -> None:
    held = [{"uuid": "t", "name": "t", "tag": "v1", "vcpu": 6, "memoryMib": 8192}]
    seen = build_input(
        nodes=[node("a", status={"templates": held}), node("b")],
        templates=[template()],
        groups=[group("ios", "spare")],
        instances=[
            instance("waits"),
            instance("runs", status={"nodeName": "a", "phase": "Started", "template": {"id": "t", "tag": "v1"}}),
            instance("failed", status={"nodeName": "a", "phase": "Error"}),
            instance("leaves", meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        ],
        placement=Placement.PACK,
    )
    assert list(seen.snapshot.nodes) == ["a", "b"]
    assert (seen.snapshot.fallbacks, seen.snapshot.placement) == ({"ios": "spare"}, Placement.PACK)
    assert [pending.uid for shape in seen.queue.shapes for pending in seen.queue.waiting(shape)] == ["uid-waits"]
    assert dict(seen.ledger.items()) == {"uid-runs": Claim("a", VmSize(6, 8192))}
