"""Whatever states are seen: each start has one outcome, each object its records once, in order, with the same ids."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.meta import REGISTRY_DELETION, REQUESTED_BY
from anka_crds.rules.lifecycle import TRANSITIONS
from anka_crds.rules.text import format_time
from anka_operator.event_log.derive import (
    distribution_records,
    instance_records,
    node_records,
    template_records,
)
from anka_operator.event_log.record import EventRecord, RecordState, select_new
from support.objects import START, TEMPLATE, distribution, instance, node, template

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LIFE = re.compile(r"StartVM( (VMStarted|VMFailedToStart)( TerminateVM( VMTerminated)?)?)?")
ENDED = re.compile(r"StartVM (VMStarted|VMFailedToStart) TerminateVM VMTerminated")


def at(seconds: float) -> str:
    return format_time(START + timedelta(seconds=seconds))


@st.composite
def lives(draw: st.DrawFn) -> list[AnkaInstance]:
    """Every state of one instance, from its creation to its last."""
    status: dict[str, Any] = {"phase": Phase.SCHEDULING.value}
    meta: dict[str, Any] = {}
    states = [instance(status=dict(status), meta=dict(meta))]
    seconds = 0
    while len(states) < 12:
        # Clocks of Macs are anywhere.
        seconds += draw(st.integers(0, 5))
        told = at(seconds + draw(st.integers(-100, 100)))
        phase = Phase(status["phase"])
        after = draw(st.sampled_from([*sorted(TRANSITIONS[phase]), None]))
        if after is None:
            if "deletionTimestamp" in meta:
                break
            meta["deletionTimestamp"] = at(seconds)
        else:
            status["phase"] = after.value
            status["updatedAt"] = told
            if after is Phase.STARTED:
                status.setdefault("startedAt", told)
            elif after is Phase.SCHEDULING:
                # It lost its node, and begins again.
                status.pop("startedAt", None)
            elif after in (Phase.ERROR, Phase.STOPPED):
                status["finishedAt"] = told
        states.append(instance(status=dict(status), meta=dict(meta)))
    return states


def follow(states: list[AnkaInstance], *, ended: bool) -> list[EventRecord]:
    """As a process does it that sees these states; the object is gone at last if it has `ended`."""
    written, found = RecordState(), []
    for number, state in enumerate(states):
        new, written = select_new(written, instance_records(state, str, START + timedelta(seconds=number)))
        found += new
    if ended:
        new, _ = select_new(written, instance_records(states[-1], str, START + timedelta(hours=1), gone=True))
        found += new
    return found


@UNHURRIED
@given(lives(), st.data())
def test_a_start_has_one_outcome_and_one_end_in_order(states: list[AnkaInstance], data: st.DataObject) -> None:
    seen = [state for state in states if data.draw(st.booleans())] or states[-1:]
    ended = data.draw(st.booleans())
    found = follow(seen, ended=ended)
    words = " ".join(record.name for record in found)
    assert (ENDED if ended else LIFE).fullmatch(words), words
    assert [record.time for record in found] == sorted(record.time for record in found)
    assert len({record.event_id for record in found}) == len(found)


@UNHURRIED
@given(lives(), st.data())
def test_whoever_looks_finds_the_same_ids(states: list[AnkaInstance], data: st.DataObject) -> None:
    """Another leader begins in the middle: what it writes again has the ids of the first."""
    first = {record.name: record.event_id for record in follow(states, ended=True)}
    later = follow(states[data.draw(st.integers(0, len(states) - 1)) :], ended=True)
    assert [record.event_id for record in later if record.name in first] == [
        first[record.name] for record in later if record.name in first
    ]


def test_a_life_as_the_old_controller_writes_it() -> None:
    asked = {"annotations": {REQUESTED_BY: "jenkins"}}
    spec = {"tag": "v1", "externalId": "job 7", "group": "ios", "permissionGroup": "team"}
    started = {"phase": "Started", "startedAt": at(9)}
    live = instance(status=started, meta={**asked, "deletionTimestamp": at(20)}, **spec)
    found = instance_records(live, str, START + timedelta(seconds=30), gone=True)
    whose = {"external_id": "job 7", "permission_group": "team"}
    mine = {"instance_id": "uid-one", **whose}
    by = {"user": "jenkins"}
    start = {"template_id": TEMPLATE, "tag": "v1", "group_id": "ios", "node_id": None, "priority": 0}
    assert [(record.name, dict(record.fields), record.time - int(START.timestamp())) for record in found] == [
        ("StartVM", {**mine, **by, **start}, 0),
        ("VMStarted", {**mine, **by, "state": "Started"}, 9),
        ("TerminateVM", {**mine, "instance_state": "Terminating"}, 20),
        ("VMTerminated", {**mine, **by, "state": "Terminated"}, 30),
    ]


def test_a_failure_says_why_and_no_secret() -> None:
    status = {"phase": "Error", "finishedAt": at(9), "message": "pull https://me:hunter22@registry failed"}
    record = instance_records(instance(status=status), str, START)[-1]
    assert record.name == "VMFailedToStart"
    assert record.fields["message"] == "pull https://me:[hidden]@registry failed"
    assert record.fields["state"] == "Error"


def test_what_fails_after_its_start_has_started() -> None:
    status = {"phase": "Error", "startedAt": at(5), "finishedAt": at(9), "message": "lost"}
    assert [record.name for record in instance_records(instance(status=status), str, START)] == ["StartVM", "VMStarted"]


def test_a_status_that_arrives_late_is_noticed_late() -> None:
    status = {"phase": "Started", "startedAt": at(5), "updatedAt": at(600)}
    started = instance_records(instance(status=status), str, START)[-1]
    assert (started.time, started.noticed) == (START.timestamp() + 5, START.timestamp() + 600)


def test_a_distribution_and_the_macs_that_have_it() -> None:
    nodes = [
        {"nodeName": "mac-1", "done": True},
        {"nodeName": "mac-2", "done": True, "message": "no disk"},
        {"nodeName": "mac-3", "done": False},
        {"nodeName": "mac-4", "done": True, "round": 2},
    ]
    asked = distribution("d", status={"nodes": nodes, "template": {"id": TEMPLATE, "name": "m", "tag": "v2"}}, tag="v2")
    request, *pulled = distribution_records(asked, str, START)
    assert request.fields == {
        "request_id": "d", "template_id": TEMPLATE, "tag": "v2", "version": None, "node_ids": [], "group_id": None,
    }  # fmt: skip
    assert [(record.name, record.fields["node_id"], record.fields["tag"]) for record in pulled] == [
        ("TemplatePulled", "mac-1", "v2"),
        ("TemplatePulled", "mac-4", "v2"),
    ]
    again = distribution_records(distribution("d", status={"nodes": [{**nodes[3], "round": 3}]}), str, START)[-1]
    assert again.event_id != pulled[1].event_id, "another round is another pull"


def test_a_removal_from_macs_is_no_event() -> None:
    assert distribution_records(distribution("d", action="Remove"), str, START) == []


def test_a_deletion_in_the_registry_is_what_rest_says() -> None:
    assert template_records(template(), START) == []
    asked = {"annotations": {REGISTRY_DELETION: "t", REQUESTED_BY: "jenkins"}}
    (record,) = template_records(template(meta=asked), START)
    assert (record.name, dict(record.fields)) == ("DeleteRegistryVm", {"template_id": TEMPLATE, "user": "jenkins"})


def test_a_node_is_configured() -> None:
    before, after = node(), node(drainMode=True, maxVmCount=3, meta={"generation": 2})
    (record,) = node_records(before, after, START)
    assert record.name == "ConfigNode"
    assert record.fields == {"node_id": "mac-1", "node_name": "mac-1", "drain_mode": True, "max_vm_count": 3}
    assert node_records(after, after, START) == []
    assert node_records(None, after, START) == [], "what was set when it joined is no change"


@pytest.mark.parametrize(
    ("leaving", "gone", "names"),
    [
        (False, False, ["DeleteNode"]),
        (False, True, ["DeleteNode", "NodeUnregistered"]),
        (True, True, ["NodeUnregistered"]),
    ],
)
def test_a_node_leaves(leaving: bool, gone: bool, names: list[str]) -> None:
    last = node(status={"leaving": True} if leaving else {}, meta={} if gone else {"deletionTimestamp": at(5)})
    assert [record.name for record in node_records(last, last, START, gone=gone)] == names
