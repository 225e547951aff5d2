"""Dry runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from anka_crds.api import AnkaInstance, AnkaNode
from anka_operator.scheduler.decide import Binding
from anka_operator.scheduler.explain import Explanation, explain
from anka_operator.scheduler.queue import Pending
from anka_operator.scheduler.reasons import Unscheduled
from anka_operator.scheduler.snapshot import snapshot
from support.objects import group, instance, node, template

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
    seen = snapshot(
        nodes=nodes,
        templates=[template()],
        groups=[group("ios", "spare"), group("spare")],
        instances=[RUNS, *others],
    )
    place = Pending(priority, datetime(2026, 1, 2, tzinfo=UTC), "")
    found = explain(instance("new", **spec), seen, place)
    verdicts = [(one.node.name, one.obstacle.alone if one.obstacle else "fits") for one in found.verdicts]
    return found, verdicts


def test_where_it_would_go_and_what_is_against_the_others() -> None:
    found, verdicts = ask()
    assert isinstance(found.answer, Binding)
    assert (found.answer.node, found.answer.pull_needed, found.ahead) == ("holder", False, 0)
    assert verdicts == [
        ("holder", "fits"),
        ("free", "fits"),
        ("busy", "is full"),
        ("drained", "is draining"),
        ("gone", "is offline"),
    ]
    assert [one.pull_needed for one in found.verdicts[:2]] == [False, True]
    assert [one.use.vms for one in found.verdicts] == [0, 0, 1, 0, 0]  # before it has gone there itself


def test_fallbacks_show_how_far_they_are() -> None:
    found, verdicts = ask(group="ios")
    assert [(one.node.name, one.level) for one in found.verdicts if one.obstacle is None] == [
        ("holder", 1),
        ("free", 1),
    ]
    assert verdicts[-1] == ("gone", "is not in group ios")


def test_who_waits_before_it_is_served_first() -> None:
    """Three urgent ones take what holds the template; one that can't run is not in the way; later ones don't count."""
    urgent = [instance(f"u{number}", priority=1) for number in range(3)]
    found, _ = ask(*urgent, instance("stuck", node="busy"), instance("later", priority=2000))
    assert isinstance(found.answer, Binding)
    assert (found.answer.node, found.ahead, found.placed) == ("free", 4, 3)
    assert next(one for one in found.verdicts if one.node.name == "holder").use.vms == 3


def test_the_device_it_would_get() -> None:
    found, verdicts = ask(usbDevice="phone")
    assert isinstance(found.answer, Binding)
    assert (found.answer.node, found.answer.claim.usb) == ("free", "7")
    assert verdicts[1:3] == [("busy", "lacks usb phone"), ("drained", "lacks usb phone")]


def test_one_that_names_its_node() -> None:
    found, verdicts = ask(node="busy")
    assert found.answer == Unscheduled("Unschedulable", "Node busy is full")
    assert verdicts[0] == ("busy", "is full")
    assert {words for _, words in verdicts[1:]} == {"is not the node asked for"}


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"template": "nonesuch"}, "TemplateNotFound"),
        ({"group": "no"}, "GroupNotFound"),
        ({"node": "no"}, "NodeNotFound"),
    ],
)
def test_what_does_not_exist_needs_no_table(spec: dict[str, Any], reason: str) -> None:
    found, verdicts = ask(**spec)
    assert isinstance(found.answer, Unscheduled)
    assert (found.answer.reason, verdicts) == (reason, [])


def test_nothing_fits() -> None:
    found, _ = ask(nodes=NODES[:2])
    assert found.answer == Unscheduled("Unschedulable", "0/2 nodes fit: 1 draining, 1 full")
