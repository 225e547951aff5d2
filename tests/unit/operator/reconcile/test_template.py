"""Mirrors of the registry."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaTemplate
from anka_crds.core.conditions import find
from anka_crds.kube import merge_patch
from anka_crds.registry.models import RegistryTemplate
from anka_operator.reconcile import template as rules
from support.objects import START, TEMPLATE, node, template

KNOWN = RegistryTemplate.model_validate(
    {
        "id": TEMPLATE,
        "name": "macos-15",
        "size": 30,
        "arch": "arm64",
        "last_pull": 0,
        "last_push": 1_767_225_600,
        "versions": [
            {"number": 0, "tag": "v1", "size": 10, "images": ["a.ank"], "description": None},
            {"number": 1, "tag": "v2", "size": 20, "images": ["a.ank", "b.ank"], "last_push": 1_767_225_600},
        ],
    }
)


def judge(before: AnkaTemplate, known: RegistryTemplate | None = KNOWN, **more: Any) -> dict[str, Any] | None:
    given: dict[str, Any] = {"nodes": [], "listed_now": True, "trouble": None, "now": START, **more}
    return rules.judged(before, known, given.pop("nodes"), **given)


def after(before: AnkaTemplate, patch: dict[str, Any] | None) -> AnkaTemplate:
    return AnkaTemplate.from_api(merge_patch.apply(before.to_api(), {"status": patch or {}}))


def verdict(obj: AnkaTemplate) -> tuple[str, str]:
    ready = find(obj.status.conditions, "Ready")
    assert ready is not None
    return ready.status, ready.reason


def test_mirrored_once() -> None:
    before = AnkaTemplate.from_api({**rules.new(KNOWN), "metadata": {**rules.new(KNOWN)["metadata"], "generation": 1}})
    assert rules.is_mirror(before)
    seen = after(before, judge(before))
    status = seen.status
    assert (status.name, status.arch, status.size_bytes, status.latest_tag) == ("macos-15", "arm64", 30, "v2")
    assert [(one.number, one.tag, one.size_bytes, one.images) for one in status.versions] == [
        (0, "v1", 10, ["a.ank"]),
        (1, "v2", 20, ["a.ank", "b.ank"]),
    ]
    assert (status.last_pull, status.last_push) == (None, START)
    assert verdict(seen) == ("True", "Ready")
    assert judge(seen) is None


def test_only_what_changed_is_in_the_patch() -> None:
    seen = after(template(), judge(template()))
    newer = KNOWN.model_copy(update={"size": 31})
    assert judge(seen, newer) == {"sizeBytes": 31}


def test_a_tag_that_was_reverted_goes() -> None:
    seen = after(template(), judge(template()))
    patch = judge(seen, KNOWN.model_copy(update={"versions": KNOWN.versions[:1], "last_push": None}))
    assert patch is not None
    assert (patch["latestTag"], len(patch["versions"]), patch["lastPush"]) == ("v1", 1, None)


@pytest.mark.parametrize(
    ("tags", "listed_now", "trouble", "wanted"),
    [
        (("v1",), True, None, ("True", "Ready")),
        ((), True, None, ("False", "NoVersions")),
        (("v1",), False, None, ("False", "NotInRegistry")),
        (("v1",), False, "registry is down", ("True", "Ready")),
        ((), False, "registry is down", ("False", "RegistryUnreachable")),
    ],
)
def test_verdict(tags: tuple[str, ...], listed_now: bool, trouble: str | None, wanted: tuple[str, str]) -> None:
    before = template(tags=tags)
    seen = after(before, judge(before, None, listed_now=listed_now, trouble=trouble))
    assert verdict(seen) == wanted
    assert [version.tag for version in seen.status.versions] == list(tags)


def test_holdings_are_in_order_whatever_the_order_of_nodes() -> None:
    macs = [node("b", holds=("v2", "v1")), node("a", holds=("v1",)), node("c")]
    wanted = [("a", "v1"), ("b", "v1"), ("b", "v2")]
    assert [(held.node_name, held.tag) for held in rules.holdings(TEMPLATE, macs)] == wanted
    assert rules.holdings(TEMPLATE, macs) == rules.holdings(TEMPLATE, macs[::-1])
    assert rules.holdings("other", macs) == []


@pytest.mark.parametrize(
    ("labels", "distribution", "wanted"),
    [
        ({rules.MIRRORED: rules.REGISTRY}, [], True),
        ({rules.MIRRORED: rules.REGISTRY}, [{"tag": "v1"}], False),
        ({}, [], False),
        ({rules.MIRRORED: "else"}, [], False),
    ],
)
def test_may_go(labels: dict[str, str], distribution: list[dict[str, str]], wanted: bool) -> None:
    assert rules.may_go(template(meta={"labels": labels}, distribution=distribution)) is wanted
    leaving = {"labels": labels, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert not rules.may_go(template(meta=leaving))


def test_a_rule_that_is_not_fulfilled_costs_one_write_not_one_for_each_mac() -> None:
    macs = [node("mac-1"), node("mac-2"), node("mac-3", state="Offline")]
    before = template(distribution=[{"tag": "v2"}])
    seen = after(before, judge(before, keepers=macs))
    assert verdict(seen) == ("True", "Ready"), "it can be used"
    told = find(seen.status.conditions, "Reconciling")
    assert told is not None
    assert (told.reason, told.message) == ("Distributing", "Macs that keep v2 don't all have it yet")
    assert judge(seen, keepers=macs, now=START + timedelta(hours=1)) is None, "said once, not at every look"
    one_holds = [node("mac-1", holds=("v2",)), *macs[1:]]
    patch = judge(seen, keepers=one_holds, nodes=one_holds[:1])
    assert patch is not None
    assert patch.keys() == {"nodes"}, "what is written anyway"
    both_hold = [one_holds[0], node("mac-2", holds=("v2",)), macs[2]]
    patch = judge(after(seen, patch), keepers=both_hold, nodes=both_hold[:2])
    assert patch is not None
    assert [condition["type"] for condition in patch["conditions"]] == ["Ready"]
