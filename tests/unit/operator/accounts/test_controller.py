"""A Mac that is deleted has no tokens any more; a join token is worth nothing once its Mac has joined."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anka_kube.errors import ApiError
from anka_operator.accounts.controller import AccountCleanup
from support.objects import START, node
from support.operator_rig import NODES, Rig
from support.scripted_api import Fault

JOINING = "anka-joining"


@pytest.fixture
def cleanup(rig: Rig) -> AccountCleanup:
    return AccountCleanup(rig.cluster, rig.clock, node_namespace=NODES, joining_namespace=JOINING)


def put(rig: Rig, name: str, *owners: str, namespace: str = NODES) -> None:
    references = [{"kind": "AnkaNode", "name": name.removeprefix("node-"), "uid": uid} for uid in owners]
    made = (START - timedelta(seconds=60)).isoformat()
    rig.api.put("serviceaccounts", name, namespace, metadata={"ownerReferences": references, "creationTimestamp": made})


def left(rig: Rig) -> set[str]:
    return {f"{namespace}/{name}" for namespace, name in rig.api.objects["serviceaccounts"]}


async def test_who_is_here_stays(rig: Rig, cleanup: AccountCleanup) -> None:
    await rig.put(node())
    put(rig, "node-mac-1", "uid-mac-1")
    put(rig, "node-by-hand")
    put(rig, "default")
    put(rig, "mac-2", namespace=JOINING)
    await cleanup.run_once()
    assert left(rig) == {"anka-nodes/node-mac-1", "anka-nodes/node-by-hand", "anka-nodes/default", "anka-joining/mac-2"}
    assert rig.writes() == []


async def test_another_kind_of_owner_says_nothing(rig: Rig, cleanup: AccountCleanup) -> None:
    owner = {"kind": "Secret", "name": "x", "uid": "uid-x"}
    made = {"ownerReferences": [owner], "creationTimestamp": START.isoformat()}
    rig.api.put("serviceaccounts", "node-mac-1", NODES, metadata=made)
    await cleanup.run_once()
    assert left(rig) == {"anka-nodes/node-mac-1"}


async def test_what_happened_while_nobody_led(rig: Rig, cleanup: AccountCleanup) -> None:
    await rig.put(node("hangs", meta={"deletionTimestamp": START.isoformat(), "finalizers": ["a.b/c"]}))
    await rig.put(node("again"))
    put(rig, "node-hangs", "uid-hangs")
    put(rig, "node-again", "an-earlier-one")
    put(rig, "node-gone", "uid-gone")
    await cleanup.run_once()
    assert left(rig) == set()


async def test_a_node_is_deleted(rig: Rig, cleanup: AccountCleanup) -> None:
    """Made by a join or by a person, and whatever token it joined with."""
    one = node()
    await rig.put(one)
    put(rig, "node-mac-1")
    put(rig, "mac-1", namespace=JOINING)
    await cleanup.run_once()
    assert left(rig) == {"anka-nodes/node-mac-1", "anka-joining/mac-1"}
    await rig.remove(one)
    await cleanup.run_once()
    assert left(rig) == set()
    # It is over: a person may make the account of the next Mac of this name.
    put(rig, "node-mac-1")
    await cleanup.run_once()
    assert left(rig) == {"anka-nodes/node-mac-1"}


async def test_a_mac_has_joined(rig: Rig, cleanup: AccountCleanup) -> None:
    put(rig, "mac-1", namespace=JOINING)
    await rig.put(node())
    await cleanup.run_once()
    assert left(rig) == {"anka-joining/mac-1"}
    await rig.put(node(status={"agentVersion": "1"}))
    await cleanup.run_once()
    assert left(rig) == set()


async def test_a_node_that_our_watch_does_not_know_yet(rig: Rig, cleanup: AccountCleanup) -> None:
    rig.api.stall()
    rig.api.put("ankanodes", "mac-9", "", spec={}, metadata={"uid": "new"})
    put(rig, "node-mac-9", "new")
    await cleanup.run_once()
    assert left(rig) == {"anka-nodes/node-mac-9"}


async def test_it_is_tried_until_it_is_done(rig: Rig, cleanup: AccountCleanup) -> None:
    one = node()
    await rig.put(one)
    put(rig, "node-mac-1")
    await rig.remove(one)
    rig.api.fail("delete", Fault(403, "no"))
    with pytest.raises(ApiError, match="no"):
        await cleanup.run_once()
    assert left(rig) == {"anka-nodes/node-mac-1"}
    await cleanup.run_once()
    assert left(rig) == set()


async def test_it_acts_at_once(rig: Rig, cleanup: AccountCleanup) -> None:
    one = node()
    await rig.put(one)
    put(rig, "node-mac-1", "uid-mac-1")
    async with cleanup:
        await rig.api.until(lambda: rig.api.count("list") > 0)
        await rig.remove(one)
        await rig.api.until(lambda: rig.api.count("delete") > 0)
    assert left(rig) == set()
