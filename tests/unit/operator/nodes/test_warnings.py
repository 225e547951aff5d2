"""The table of what a condition of a Mac says beside its state."""

from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api.conditions import ConditionType
from anka_crds.api.meta import Condition
from anka_crds.rules.challenger import Challenger
from anka_crds.rules.condition_list import find
from anka_crds.rules.references import NO_NAMES
from anka_operator.nodes.warnings import (
    NO_CONFLICT,
    IdentityFacts,
    find_new_warnings,
    find_twins,
    with_warnings,
)
from support.objects import START, node

SECOND = Challenger(host_name="mac-9", address="10.0.0.9", hardware_uuid="H-9")


def warn(identity: IdentityFacts = NO_CONFLICT, before: tuple[Condition, ...] = (), **status: Any) -> list[Condition]:
    return with_warnings(list(before), node(status=status), NO_NAMES, identity, START)


@pytest.mark.parametrize(
    ("status", "identity", "kind", "reason", "words"),
    [
        ({"clockAheadSeconds": -240}, NO_CONFLICT, "ClockSkewed", "ClockSkewed", "240 s behind the API's"),
        ({"clockAheadSeconds": 720}, NO_CONFLICT, "ClockSkewed", "ClockSkewed", "720 s ahead of the API's"),
        ({"clockAheadSeconds": 60}, NO_CONFLICT, None, "", ""),
        ({"omitted": "1024 of 1300 tags"}, NO_CONFLICT, "ListsCut", "NoRoom", "1024 of 1300 tags"),
        ({"unkept": 4}, NO_CONFLICT, "ListsCut", "NoRoom", "status.keptTemplates lists 0 of 4 tags"),
        ({}, IdentityFacts(SECOND), "IdentityConflict", "SecondMachine", "mac-9, at 10.0.0.9, hardware UUID H-9"),
        ({}, IdentityFacts(SECOND, ("x",)), "IdentityConflict", "SecondMachine", "mac-9"),
        ({"hardwareUuid": "H"}, IdentityFacts(None, ("a", "b")), "IdentityConflict", "SameMachine", "AnkaNode a, b is"),
        ({}, NO_CONFLICT, None, "", ""),
    ],
)
def test_what_is_said(
    status: dict[str, Any], identity: IdentityFacts, kind: str | None, reason: str, words: str
) -> None:
    found = warn(identity, **status)
    assert [condition.type for condition in found] == ([kind] if kind else [])
    if kind:
        assert (found[0].status, found[0].reason) == ("True", reason)
        assert words in found[0].message


def test_it_goes_when_it_is_over_and_stays_while_nothing_is_known() -> None:
    before = tuple(warn(IdentityFacts(SECOND), clockAheadSeconds=100))
    unknown = warn(IdentityFacts(known=False), before)
    assert [condition.type for condition in unknown] == [ConditionType.IDENTITY_CONFLICT]
    assert warn(NO_CONFLICT, before) == []


def test_twins_are_nodes_that_live_on_one_machine() -> None:
    def on(name: str, hardware: str | None, state: str | None = "Active") -> Any:
        return node(name, state=state, status={"hardwareUuid": hardware} if hardware else {})

    macs = [on("a", "H"), on("b", "H"), on("c", "H", "Offline"), on("d", "H", None), on("e", "G"), on("f", None)]
    assert find_twins([*macs, on("g", None)]) == {"a": ("b",), "b": ("a",)}


def test_an_event_is_for_what_is_new() -> None:
    plain = node()
    told = plain.model_copy(
        update={"status": plain.status.model_copy(update={"conditions": warn(IdentityFacts(SECOND))})}
    )
    assert [one.reason for one in find_new_warnings(plain, told)] == ["SecondMachine"]
    assert find_new_warnings(told, told) == []
    assert find(told.status.conditions, ConditionType.CLOCK_SKEWED) is None
