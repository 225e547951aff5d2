from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaNode, TemplateDistribution
from anka_crds.api.vm_info import ResolvedTemplate
from anka_crds.core.conditions import find, is_true
from anka_crds.kube import merge_patch
from anka_operator.reconcile import distribution as reconcile
from anka_operator.reconcile.patch import Status
from anka_operator.scheduler.catalog import Catalog
from anka_operator.scheduler.reasons import Unscheduled
from support.objects import START, TEMPLATE, distribution, node, template

RESOLVED = ResolvedTemplate(id=TEMPLATE, name="macos-15", tag="v2", version=1)
CATALOG = Catalog([template(), template("empty", "empty", ()), template("t1", "twin"), template("t2", "twin")])


def after(one: TemplateDistribution, patch: Status | None) -> TemplateDistribution:
    """As the API has it then."""
    assert patch is not None
    return TemplateDistribution.from_api(merge_patch.apply(one.to_api(), {"status": patch}))


def running(*names: str, **spec: Any) -> TemplateDistribution:
    one = distribution(**spec)
    return after(one, reconcile.taken_up(one, RESOLVED, names, registry="http://r", now=START))


def mac(name: str, *work: dict[str, Any], offline_since: datetime | None = None) -> AnkaNode:
    status: dict[str, Any] = {"distributions": [{"name": "request", "uid": "uid-request", **one} for one in work]}
    if offline_since is not None:
        alive = {"type": "Alive", "status": "False", "reason": "NoHeartbeat", "message": ""}
        status["conditions"] = [{**alive, "lastTransitionTime": offline_since.isoformat()}]
    return node(name, state="Offline" if offline_since is not None else "Active", status=status)


def progressed(
    one: TemplateDistribution, *nodes: AnkaNode, now: datetime = START
) -> tuple[TemplateDistribution | None, float]:
    patch, wait = reconcile.progressed(one, {node.metadata.name: node for node in nodes}, lost_seconds=300, now=now)
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
    got = reconcile.meant(distribution(**spec), CATALOG, [left])
    assert (got.reason if isinstance(got, Unscheduled) else (got.id, got.tag)) == found


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
    assert reconcile.taken_up(one, RESOLVED, ["a", "b"], registry="http://r", now=START + timedelta(hours=1)) is None


def test_for_nobody_it_is_done() -> None:
    one = running()
    assert (one.status.phase, one.status.finished_at) == ("Done", START)
    assert is_true(one.status.conditions, "Ready")


def test_refused() -> None:
    one = distribution()
    one = after(one, reconcile.refused(one, Unscheduled("TagNotFound", "no tag v9"), now=START))
    assert (one.status.phase, one.status.finished_at) == ("Error", START)
    stalled = find(one.status.conditions, "Stalled")
    assert stalled is not None
    assert (stalled.reason, stalled.message) == ("TagNotFound", "no tag v9")


def test_it_waits_for_the_versions_of_a_template() -> None:
    why = Unscheduled("TemplateNotReady", "no version yet")
    one = distribution()
    one = after(one, reconcile.waits(one, why, now=START))
    assert (one.status.phase, one.status.requested_at) == ("Pending", None)
    assert reconcile.waits(one, why, now=START + timedelta(seconds=9)) is None


@pytest.mark.parametrize(
    ("macs", "seen", "phase"),
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
def test_what_agents_report(macs: list[AnkaNode], seen: list[tuple[str, bool, int, str | None]], phase: str) -> None:
    one, wait = progressed(running("a", "b"), *macs)
    assert wait == math.inf
    if seen is None:
        assert one is None
        return
    assert entries(one) == seen
    assert one is not None
    assert one.status.phase == phase
    assert (one.status.finished_at is not None) == (phase != "Running")


def test_the_end_says_what_went_wrong_first() -> None:
    one, _ = progressed(running("a", "b"), mac("a", {"done": True, "message": "disk full"}), mac("b", {"done": True}))
    assert one is not None
    stalled = find(one.status.conditions, "Stalled")
    assert stalled is not None
    assert stalled.message == "1 of 2 Macs failed; a: disk full"


def test_one_that_is_done_stays_so() -> None:
    one, _ = progressed(running("a", "b"), mac("a", {"done": True}), mac("b"))
    assert one is not None
    again, _ = progressed(one, mac("a"), mac("b"))
    assert again is None


def test_a_mac_that_is_offline_is_waited_for_and_then_given_up() -> None:
    silent = mac("a", {"progressPercent": 20}, offline_since=START - timedelta(seconds=100))
    one, wait = progressed(running("a"), silent)
    assert wait == 200
    assert entries(one) == [("a", False, 20, "The Mac is Offline")]
    assert one is not None
    back, _ = progressed(one, mac("a", {"progressPercent": 30}))
    assert entries(back) == [("a", False, 30, None)]
    over, _ = progressed(one, silent, now=START + timedelta(seconds=200))
    assert entries(over) == [("a", True, 20, "The Mac is Offline, and was given up")]
    assert over is not None
    assert over.status.phase == "Error"


def test_a_removal_that_is_done() -> None:
    one, _ = progressed(running("a", action="Remove"), mac("a", {"done": True}))
    assert one is not None
    ready = find(one.status.conditions, "Ready")
    assert ready is not None
    assert ready.message == "The Mac no longer has macos-15:v2"


def test_cancelled() -> None:
    one, _ = progressed(running("a", "b"), mac("a", {"done": True}), mac("b", {"progressPercent": 50}))
    assert one is not None
    over = after(one, reconcile.cancelled(one, now=START))
    assert entries(over) == [("a", True, 100, None), ("b", False, 50, None)]
    assert over.status.phase == "Cancelled"
    assert is_true(over.status.conditions, "Stalled")
    early = distribution()
    assert after(early, reconcile.cancelled(early, now=START)).status.requested_at == START


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
    changed = one.model_copy(update={"spec": distribution(**spec).spec})
    assert reconcile.aims_elsewhere(one) is False
    assert reconcile.aims_elsewhere(changed) is elsewhere


def test_one_of_an_older_version_is_not_taken_up_anew() -> None:
    one = running("a", "b")
    older = one.model_copy(update={"status": one.status.model_copy(update={"aimed_at": None})})
    assert reconcile.aims_elsewhere(older) is False


def test_one_that_never_began_is_for_nobody() -> None:
    one = distribution(nodes=["a"])
    refused = after(one, reconcile.refused(one, Unscheduled("TagNotFound", "no tag v9"), now=START))
    assert reconcile.aims_elsewhere(refused) is False


def test_other_macs() -> None:
    one, _ = progressed(running("a", "b", nodes=["a", "b"]), mac("a", {"done": True}), mac("b", {"done": True}))
    assert one is not None
    assert one.status.finished_at is not None
    spec, metadata = distribution(nodes=["b", "c"]).spec, one.metadata.model_copy(update={"generation": 2})
    changed = one.model_copy(update={"spec": spec, "metadata": metadata})
    anew = after(changed, reconcile.aimed_anew(changed, ["b", "c"], now=START + timedelta(hours=1)))
    assert entries(anew) == [("b", True, 100, None), ("c", False, 0, None)]
    assert (anew.status.phase, anew.status.finished_at, anew.status.observed_generation) == ("Running", None, 2)
    assert anew.status.requested_at == START
    assert is_true(anew.status.conditions, "Reconciling")
    assert reconcile.aims_elsewhere(anew) is False
    later = START + timedelta(hours=2)
    done, _ = progressed(anew, mac("b", {"done": True}), mac("c", {"done": True}), now=later)
    assert done is not None
    assert (done.status.phase, done.status.finished_at) == ("Done", later)


def test_macs_of_which_there_are_none() -> None:
    one = running("a", "b")
    changed = one.model_copy(update={"spec": distribution(group="empty").spec})
    anew = after(changed, reconcile.aimed_anew(changed, [], now=START))
    assert (anew.status.phase, anew.status.finished_at, anew.status.nodes) == ("Done", START, [])


def test_a_change_after_the_end_is_seen() -> None:
    one = running()
    assert reconcile.seen(one) is None
    changed = one.model_copy(update={"metadata": one.metadata.model_copy(update={"generation": 2})})
    patched = after(changed, reconcile.seen(changed))
    assert patched.status.observed_generation == 2
    assert all(condition.observed_generation == 2 for condition in patched.status.conditions)


@pytest.mark.parametrize(
    ("ttl", "finished", "left"), [(None, START, math.inf), (60, None, math.inf), (60, START, 40.0), (10, START, 0.0)]
)
def test_expires_in(ttl: int | None, finished: datetime | None, left: float) -> None:
    status = {"phase": "Done" if finished else "Running", **({"finishedAt": finished.isoformat()} if finished else {})}
    spec: dict[str, Any] = {} if ttl is None else {"ttlSecondsAfterFinished": ttl}
    assert reconcile.expires_in(distribution(status=status, **spec), START + timedelta(seconds=20)) == left
