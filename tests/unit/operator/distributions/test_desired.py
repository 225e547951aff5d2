from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaNode, TemplateDistribution
from anka_crds.api.conditions import InstanceReason
from anka_crds.api.limits import MAX_TARGETS
from anka_crds.api.vm_info import ResolvedTemplate
from anka_crds.rules.condition_list import find
from anka_crds.rules.references import NameCatalog
from anka_kube import merge_patch
from anka_operator.distributions import desired as reconcile
from anka_operator.status_patch import StatusPatch
from anka_scheduler.catalog import TemplateCatalog
from anka_scheduler.reasons import WaitReason
from support.conditions import is_true
from support.objects import START, TEMPLATE, distribution, node, template

RESOLVED = ResolvedTemplate(id=TEMPLATE, name="macos-15", tag="v2", version=1)
CATALOG = TemplateCatalog([template(), template("empty", "empty", ()), template("t1", "twin"), template("t2", "twin")])


def after(one: TemplateDistribution, patch: StatusPatch | None) -> TemplateDistribution:
    """As the API has it then."""
    assert patch is not None
    return TemplateDistribution.from_api(merge_patch.apply(one.to_api(), {"status": patch}))


def running(*names: str, **spec: Any) -> TemplateDistribution:
    one = distribution(**spec)
    return after(one, reconcile.start_status(one, RESOLVED, names, registry="http://r", now=START))


def mac(name: str, *work: dict[str, Any], offline_since: datetime | None = None, **spec: Any) -> AnkaNode:
    status: dict[str, Any] = {"distributions": [{"name": "request", "uid": "uid-request", **one} for one in work]}
    if offline_since is not None:
        alive = {"type": "Alive", "status": "False", "reason": "NoHeartbeat", "message": ""}
        status["conditions"] = [{**alive, "lastTransitionTime": offline_since.isoformat()}]
    return node(name, state="Offline" if offline_since is not None else "Active", status=status, **spec)


def progress_status(
    one: TemplateDistribution, *nodes: AnkaNode, now: datetime = START
) -> tuple[TemplateDistribution | None, float]:
    patch, wait = reconcile.progress_status(
        one, {node.metadata.name: node for node in nodes}, lost_seconds=300, now=now
    )
    return (after(one, patch) if patch is not None else None), wait


def entries(one: TemplateDistribution | None) -> list[tuple[str, bool, int, str | None]]:
    assert one is not None
    return [(entry.node_name, entry.done, entry.progress_percent, entry.message) for entry in one.status.nodes]


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({}, (TEMPLATE, "v2")),
        ({"template": "macos-15", "tag": "v1"}, (TEMPLATE, "v1")),
        ({"template": TEMPLATE.upper(), "version": 0}, (TEMPLATE, "v1")),
        ({"action": "Remove"}, (TEMPLATE, None)),
        ({"action": "Remove", "tag": "reverted"}, (TEMPLATE, "reverted")),
        ({"action": "Remove", "version": 0}, (TEMPLATE, "v1")),
        ({"action": "Remove", "template": "gone"}, ("gone", None)),
        ({"template": "none"}, "TemplateNotFound"),
        ({"template": "gone"}, "TemplateNotFound"),
        ({"template": "twin"}, "TemplateAmbiguous"),
        ({"template": "twin", "action": "Remove"}, "TemplateAmbiguous"),
        ({"template": "empty"}, "TemplateNotReady"),
        ({"tag": "v9"}, "TagNotFound"),
        ({"version": 9}, "VersionNotFound"),
        ({"action": "Remove", "template": "none"}, "TemplateNotFound"),
        ({"action": "Remove", "template": "gone-by-name"}, "TemplateNotFound"),
    ],
)
def test_what_is_meant(spec: dict[str, Any], found: tuple[str, str | None] | str) -> None:
    left = node(status={"templates": [{"uuid": "gone", "name": "gone-by-name", "tag": "v1"}]})
    got = reconcile.resolve_template(distribution(**spec), CATALOG, [left])
    assert (got.reason if isinstance(got, WaitReason) else (got.id, got.tag)) == found


def test_taken_up() -> None:
    one = running("a", "b")
    assert entries(one) == [("a", False, 0, None), ("b", False, 0, None)]
    status = one.status
    assert (status.phase, status.requested_at, status.registry) == ("Running", START, "http://r")
    assert status.template == RESOLVED
    assert status.progress == "0/2 (0 %)"
    ready = find(status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, ready.message) == ("False", "Pulling macos-15:v2 to 2 Macs")
    assert is_true(status.conditions, "Reconciling")
    assert (
        reconcile.start_status(one, RESOLVED, ["a", "b"], registry="http://r", now=START + timedelta(hours=1)) is None
    )


def test_for_nobody_it_is_done() -> None:
    one = running()
    assert (one.status.phase, one.status.finished_at) == ("Done", START)
    assert is_true(one.status.conditions, "Ready")


def test_refused() -> None:
    one = distribution()
    one = after(one, reconcile.refusal_status(one, WaitReason(InstanceReason.TAG_NOT_FOUND, "no tag v9"), now=START))
    assert (one.status.phase, one.status.finished_at) == ("Error", START)
    stalled = find(one.status.conditions, "Stalled")
    assert stalled is not None
    assert (stalled.reason, stalled.message) == ("TagNotFound", "no tag v9")


def test_it_waits_for_the_versions_of_a_template() -> None:
    why = WaitReason(InstanceReason.TEMPLATE_NOT_READY, "no version yet")
    one = distribution()
    one = after(one, reconcile.wait_status(one, why, now=START))
    assert (one.status.phase, one.status.requested_at) == ("Pending", None)
    assert reconcile.wait_status(one, why, now=START + timedelta(seconds=9)) is None


@pytest.mark.parametrize(
    ("macs", "expected", "phase"),
    [
        ([mac("a"), mac("b")], None, ""),
        ([mac("a", {"progressPercent": 40}), mac("b")], [("a", False, 40, None), ("b", False, 0, None)], "Running"),
        (
            [mac("a", {"done": True, "progressPercent": 100}), mac("b", {"progressPercent": 10})],
            [("a", True, 100, None), ("b", False, 10, None)],
            "Running",
        ),
        (
            [mac("a", {"done": True}), mac("b", {"done": True})],
            [("a", True, 100, None), ("b", True, 100, None)],
            "Done",
        ),
        (
            [mac("a", {"done": True, "progressPercent": 30, "message": "disk full"}), mac("b", {"done": True})],
            [("a", True, 30, "disk full"), ("b", True, 100, None)],
            "Error",
        ),
        ([mac("a", {"message": "waits"}), mac("b")], [("a", False, 0, "waits"), ("b", False, 0, None)], "Running"),
        ([mac("a", {"uid": "older", "done": True}), mac("b")], None, ""),
        ([mac("b", {"done": True})], [("a", True, 0, "There is no AnkaNode a"), ("b", True, 100, None)], "Error"),
    ],
)
def test_what_agents_report(
    macs: list[AnkaNode], expected: list[tuple[str, bool, int, str | None]], phase: str
) -> None:
    one, wait = progress_status(running("a", "b"), *macs)
    assert wait == math.inf
    if expected is None:
        assert one is None
        return
    assert entries(one) == expected
    assert one is not None
    assert one.status.phase == phase
    assert (one.status.finished_at is not None) == (phase != "Running")


def test_the_end_says_what_went_wrong_first() -> None:
    one, _ = progress_status(
        running("a", "b"), mac("a", {"done": True, "message": "disk full"}), mac("b", {"done": True})
    )
    assert one is not None
    stalled = find(one.status.conditions, "Stalled")
    assert stalled is not None
    assert stalled.message == "1 of 2 Macs failed; a: disk full"


def test_one_that_is_done_stays_so() -> None:
    one, _ = progress_status(running("a", "b"), mac("a", {"done": True}), mac("b"))
    assert one is not None
    again, _ = progress_status(one, mac("a"), mac("b"))
    assert again is None


def test_a_mac_that_is_offline_is_waited_for_and_then_given_up() -> None:
    silent = mac("a", {"progressPercent": 20}, offline_since=START - timedelta(seconds=100))
    one, wait = progress_status(running("a"), silent)
    assert wait == 200
    assert entries(one) == [("a", False, 20, "The Mac is Offline")]
    assert one is not None
    back, _ = progress_status(one, mac("a", {"progressPercent": 30}))
    assert entries(back) == [("a", False, 30, None)]
    over, _ = progress_status(one, silent, now=START + timedelta(seconds=200))
    assert entries(over) == [("a", True, 20, "The Mac is Offline, and was given up")]
    assert over is not None
    assert over.status.phase == "Error"


def test_a_removal_that_is_done() -> None:
    one, _ = progress_status(running("a", action="Remove"), mac("a", {"done": True}))
    assert one is not None
    ready = find(one.status.conditions, "Ready")
    assert ready is not None
    assert ready.message == "The Mac no longer has macos-15:v2"


def test_cancelled() -> None:
    one, _ = progress_status(running("a", "b"), mac("a", {"done": True}), mac("b", {"progressPercent": 50}))
    assert one is not None
    over = after(one, reconcile.cancel_status(one, now=START))
    assert entries(over) == [("a", True, 100, None), ("b", True, 50, "The request was cancelled")]
    assert over.status.progress == "1/2 (75 %), 1 not done"
    assert over.status.phase == "Cancelled"
    assert is_true(over.status.conditions, "Stalled")
    early = distribution()
    assert after(early, reconcile.cancel_status(early, now=START)).status.requested_at == START


@pytest.mark.parametrize(
    ("before", "spec", "elsewhere"),
    [
        ({"nodes": ["a", "b"]}, {"nodes": ["b", "a"]}, False),
        ({"nodes": ["a", "b"]}, {"nodes": ["a", "b", "c"]}, True),
        ({"nodes": ["a", "b"]}, {"nodes": ["a"]}, True),
        ({"nodes": ["a", "b"]}, {}, True),
        ({}, {}, False),
        ({}, {"ttlSecondsAfterFinished": 5}, False),
        ({}, {"nodes": ["a", "b"]}, True),  # that it means the same Macs today changes what it is for
        ({}, {"group": "ios"}, True),
        ({"group": "ios"}, {"group": "ios", "ttlSecondsAfterFinished": 5}, False),
        ({"group": "ios"}, {"group": "mac"}, True),
        ({"group": "ios"}, {"group": "mac", "cancelled": True}, False),
    ],
    ids=str,
)
def test_whether_it_is_for_other_macs(before: dict[str, Any], spec: dict[str, Any], elsewhere: bool) -> None:
    one = running("a", "b", **before)
    later = one.metadata.model_copy(update={"generation": one.metadata.generation + 1})
    changed = one.model_copy(update={"spec": distribution(**spec).spec, "metadata": later})
    assert reconcile.has_new_targets(one) is False
    assert reconcile.has_new_targets(changed) is elsewhere


def test_a_mac_that_gets_another_name_changes_nothing() -> None:
    one = running("mac-1", nodes=["iOS 1"])
    later = one.metadata.model_copy(update={"generation": one.metadata.generation + 1})
    changed = one.model_copy(update={"metadata": later})
    assert reconcile.has_new_targets(changed, NameCatalog([mac("mac-1", displayName="iOS 1")])) is False
    assert reconcile.has_new_targets(one, NameCatalog([mac("mac-1", displayName="other")])) is False


@pytest.mark.parametrize("total", [MAX_TARGETS, MAX_TARGETS + 1, 2 * MAX_TARGETS + 7])
def test_any_number_of_macs_is_asked_before_it_is_done(total: int) -> None:
    names = [f"mac-{number:05}" for number in range(total)]
    one = running(*names)
    asked: set[str] = set()
    for _ in range(10):
        working = [entry.node_name for entry in one.status.nodes if not entry.done]
        assert len(one.status.nodes) <= MAX_TARGETS
        if one.status.phase == "Done":
            break
        assert working
        asked.update(working)
        assert one.status.progress is not None
        assert f"/{total} (" in one.status.progress
        nodes = {name: mac(name, {"done": True}) for name in working}
        patch, _ = reconcile.progress_status(one, nodes, lost_seconds=300, now=START, targets=names)
        one = after(one, patch)
    assert one.status.phase == "Done"
    assert asked == set(names)
    assert one.status.progress == f"{total}/{total} (100 %)"


def test_macs_that_fail_stay_listed_and_those_that_were_not_asked_are_counted() -> None:
    names = [f"mac-{number:05}" for number in range(MAX_TARGETS + 5)]
    one = running(*names)
    nodes = {name: mac(name, {"done": True, "message": "é" * 2000}) for name in names[:MAX_TARGETS]}
    patch, _ = reconcile.progress_status(one, nodes, lost_seconds=300, now=START, targets=names)
    over = after(one, patch)
    assert over.status.phase == "Error"
    ready = next(condition for condition in over.status.conditions if condition.type == "Ready")
    assert ready.message.startswith(f"{MAX_TARGETS} of {MAX_TARGETS + 5} Macs failed, so that 5 were not asked; mac-")
    assert len(json.dumps(over.to_api(), ensure_ascii=False).encode()) < 1_000_000


def test_one_of_an_older_version_is_not_taken_up_anew() -> None:
    one = running("a", "b")
    older = one.model_copy(update={"status": one.status.model_copy(update={"aimed_at": None})})
    assert reconcile.has_new_targets(older) is False


def test_one_that_never_began_is_for_nobody() -> None:
    one = distribution(nodes=["a"])
    refused = after(
        one, reconcile.refusal_status(one, WaitReason(InstanceReason.TAG_NOT_FOUND, "no tag v9"), now=START)
    )
    assert reconcile.has_new_targets(refused) is False


def test_other_macs() -> None:
    one, _ = progress_status(running("a", "b", nodes=["a", "b"]), mac("a", {"done": True}), mac("b", {"done": True}))
    assert one is not None
    assert one.status.finished_at is not None
    spec, metadata = distribution(nodes=["b", "c"]).spec, one.metadata.model_copy(update={"generation": 2})
    changed = one.model_copy(update={"spec": spec, "metadata": metadata})
    anew = after(changed, reconcile.retarget_status(changed, ["b", "c"], now=START + timedelta(hours=1)))
    assert entries(anew) == [("b", True, 100, None), ("c", False, 0, None)]
    assert (anew.status.phase, anew.status.finished_at, anew.status.observed_generation) == ("Running", None, 2)
    assert anew.status.requested_at == START
    assert is_true(anew.status.conditions, "Reconciling")
    assert reconcile.has_new_targets(anew) is False
    later = START + timedelta(hours=2)
    done, _ = progress_status(anew, mac("b", {"done": True}), mac("c", {"done": True, "round": 2}), now=later)
    assert done is not None
    assert (done.status.phase, done.status.finished_at) == ("Done", later)


@pytest.mark.parametrize("before", [{"done": True}, {"done": True, "message": "no route"}, {"progressPercent": 80}])
def test_a_mac_that_comes_back_is_not_judged_by_what_it_reported_before(before: dict[str, Any]) -> None:
    """An agent's finished work stays in its AnkaNode until its next write, which may be 5 minutes away."""
    one = running("a", "b", nodes=["a", "b"])
    progressed, _ = progress_status(one, mac("a", before), mac("b"))
    without, again = (
        distribution(nodes=["b"], meta={"generation": 2}),
        distribution(nodes=["a", "b"], meta={"generation": 3}),
    )
    out = (progressed or one).model_copy(update={"spec": without.spec, "metadata": without.metadata})
    out = after(out, reconcile.retarget_status(out, ["b"], now=START))
    back = out.model_copy(update={"spec": again.spec, "metadata": again.metadata})
    back = after(back, reconcile.retarget_status(back, ["a", "b"], now=START))
    assert entries(back)[0] == ("a", False, 0, None)
    assert progress_status(back, mac("a", before), mac("b"))[0] is None, "the old report says nothing of this round"
    done, _ = progress_status(back, mac("a", {"done": True, "round": 3}), mac("b", {"done": True}))
    assert entries(done) == [("a", True, 100, None), ("b", True, 100, None)]


def test_macs_of_which_there_are_none() -> None:
    one = running("a", "b")
    changed = one.model_copy(update={"spec": distribution(group="empty").spec})
    anew = after(changed, reconcile.retarget_status(changed, [], now=START))
    assert (anew.status.phase, anew.status.finished_at, anew.status.nodes) == ("Done", START, [])


def test_a_change_after_the_end_is_seen() -> None:
    one = running()
    assert reconcile.acknowledge(one) is None
    changed = one.model_copy(update={"metadata": one.metadata.model_copy(update={"generation": 2})})
    patched = after(changed, reconcile.acknowledge(changed))
    assert patched.status.observed_generation == 2
    assert all(condition.observed_generation == 2 for condition in patched.status.conditions)


@pytest.mark.parametrize(
    ("ttl", "finished", "left"), [(None, START, math.inf), (60, None, math.inf), (60, START, 40.0), (10, START, 0.0)]
)
def test_expires_in(ttl: int | None, finished: datetime | None, left: float) -> None:
    status = {"phase": "Done" if finished else "Running", **({"finishedAt": finished.isoformat()} if finished else {})}
    spec: dict[str, Any] = {} if ttl is None else {"ttlSecondsAfterFinished": ttl}
    assert reconcile.expires_in(distribution(status=status, **spec), START + timedelta(seconds=20)) == left
