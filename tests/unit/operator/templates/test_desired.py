"""Mirrors of the registry."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaTemplate
from anka_crds.rules.condition_list import find
from anka_kube import merge_patch
from anka_operator.registry_view.desired import KnownTemplate, to_known
from anka_operator.templates import desired as rules
from anka_registry.models import RegistryTemplate
from support.objects import START, TEMPLATE, node, template

READ = RegistryTemplate.model_validate(
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
KNOWN = to_known(READ)


def reread(**changes: Any) -> KnownTemplate:
    return to_known(READ.model_copy(update=changes))


def judge(before: AnkaTemplate, known: KnownTemplate | None = KNOWN, **more: Any) -> dict[str, Any] | None:
    given: dict[str, Any] = {"nodes": [], "gone": False, "registry_error": None, "now": START, **more}
    return rules.compute_status(before, known, given.pop("nodes"), **given)


def after(before: AnkaTemplate, patch: dict[str, Any] | None) -> AnkaTemplate:
    return AnkaTemplate.from_api(merge_patch.apply(before.to_api(), {"status": patch or {}}))


def verdict(obj: AnkaTemplate) -> tuple[str, str]:
    ready = find(obj.status.conditions, "Ready")
    assert ready is not None
    return ready.status, ready.reason


def test_mirrored_once() -> None:
    before = AnkaTemplate.from_api(
        {**rules.build_template(TEMPLATE), "metadata": {**rules.build_template(TEMPLATE)["metadata"], "generation": 1}}
    )
    assert rules.is_mirror(before)
    seen = after(before, judge(before))
    status = seen.status
    assert (status.name, status.arch, status.size_bytes, status.latest_tag) == ("macos-15", "arm64", 30, "v2")
    assert [(one.number, one.tag, one.size_bytes) for one in status.versions] == [
        (0, "v1", 10),
        (1, "v2", 20),
    ]
    assert (status.last_pull, status.last_push) == (None, START)
    assert verdict(seen) == ("True", "Ready")
    assert judge(seen) is None


def test_only_what_changed_is_in_the_patch() -> None:
    seen = after(template(), judge(template()))
    is_newer = reread(size=31)
    assert judge(seen, is_newer) == {"sizeBytes": 31}


def test_a_tag_that_was_reverted_goes() -> None:
    seen = after(template(), judge(template()))
    patch = judge(seen, reread(versions=READ.versions[:1], last_push=None))
    assert patch is not None
    assert (patch["latestTag"], len(patch["versions"]), patch["lastPush"]) == ("v1", 1, None)


@pytest.mark.parametrize(
    ("tags", "gone", "registry_error", "wanted"),
    [
        (("v1",), False, None, ("True", "Ready")),
        ((), False, None, ("False", "NoVersions")),
        (("v1",), True, None, ("False", "NotInRegistry")),
        (("v1",), False, "registry is down", ("True", "Ready")),
        (("v1",), True, "registry is down", ("False", "NotInRegistry")),
        ((), False, "registry is down", ("False", "RegistryUnreachable")),
    ],
)
def test_verdict(tags: tuple[str, ...], gone: bool, registry_error: str | None, wanted: tuple[str, str]) -> None:
    before = template(tags=tags)
    seen = after(before, judge(before, None, gone=gone, registry_error=registry_error))
    assert verdict(seen) == wanted
    assert [version.tag for version in seen.status.versions] == ([] if gone else list(tags))


def test_a_template_whose_versions_are_all_reverted_says_so() -> None:
    seen = after(template(), judge(template(), reread(versions=[])))
    assert (verdict(seen), seen.status.versions, seen.status.latest_tag) == (("False", "NoVersions"), [], None)


def test_holdings_are_in_order_whatever_the_order_of_nodes() -> None:
    macs = [node("b", holds=("v2", "v1")), node("a", holds=("v1",)), node("c")]
    wanted = [("a", "v1"), ("b", "v1"), ("b", "v2")]
    assert [(held.node_name, held.tag) for held in rules.list_holdings(TEMPLATE, macs)] == wanted
    assert rules.list_holdings(TEMPLATE, macs) == rules.list_holdings(TEMPLATE, macs[::-1])
    assert rules.list_holdings("other", macs) == []


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
    assert rules.is_removable(template(meta={"labels": labels}, distribution=distribution)) is wanted
    leaving = {"labels": labels, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert not rules.is_removable(template(meta=leaving))


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


def test_a_rule_for_a_tag_that_the_object_does_not_show() -> None:
    """Thousands of newer ones are there."""
    versions = [{"number": number, "tag": f"v{number}", "description": "x" * 200} for number in range(4000)]
    known = to_known(RegistryTemplate.model_validate({"id": TEMPLATE, "name": "x", "versions": versions}))
    assert "v0" not in [version.tag for version in known.mirrored]
    kept = template(distribution=[{"tag": "v0"}])
    for holds, wanted in ((), "Distributing"), (("v0",), None):
        mac = node("a", holds=holds)
        seen = after(kept, judge(kept, known, nodes=[mac], keepers=[mac]))
        told = find(seen.status.conditions, "Reconciling")
        assert (None if told is None else told.reason) == wanted
