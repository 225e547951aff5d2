"""Groups are counted, and written only when a count changes."""

from __future__ import annotations

import math

import pytest

from anka_crds.api import NodeGroup
from anka_operator.groups.controller import GroupController
from support.objects import group, node
from support.operator_rig import Rig


async def test_counts(rig: Rig) -> None:
    groups = GroupController(rig.cluster, rig.clock)
    await rig.put(group("ios"), group("spare"), node("a", groups=["ios", "spare"]), node("b", groups=["ios"]))
    await groups.run_once()
    seen = {one.metadata.name: (one.status.nodes, one.status.active_nodes) for one in rig.cluster.stores.groups}
    assert seen == {"ios": (2, 2), "spare": (1, 1)}
    await groups.run_once()
    assert len(rig.writes()) == 2
    await rig.put(node("b", groups=["ios"], state="Offline", meta={"version": 2}))
    await groups.run_once()
    assert [seen.path.split("/")[-2] for seen in rig.writes()[2:]] == ["ios"]


async def test_only_groups_that_a_node_joined_or_left_are_looked_at(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = GroupController(rig.cluster, rig.clock)
    await rig.put(group("ios"), group("spare"), group("other"), node("a", groups=["ios"]))
    for _ in range(2):  # the second time for its own writes
        await groups.run_once()
    reconciled: list[str] = []

    async def reconcile(obj: NodeGroup) -> float:
        reconciled.append(obj.metadata.name)
        return math.inf

    monkeypatch.setattr(groups, "reconcile", reconcile)
    await rig.put(node("a", groups=["spare"], meta={"version": 2}))
    await groups.run_once()
    assert sorted(reconciled) == ["ios", "spare"]


async def test_a_fallback_that_goes_shows_in_the_group_that_names_it(rig: Rig) -> None:
    groups = GroupController(rig.cluster, rig.clock)
    await rig.put(group("ios", "spare"), group("spare"))
    await groups.run_once()
    await rig.remove(group("spare"))
    await groups.run_once()
    ios = rig.cluster.stores.groups.get("ios")
    assert ios is not None
    assert [one.reason for one in ios.status.conditions if one.type == "Stalled"] == ["FallbackNotFound"]
