"""Groups are counted, and written only when a count changes."""

from __future__ import annotations

from anka_operator.controllers.groups import Groups
from support.objects import group, node
from support.operator_rig import Rig


async def test_counts(rig: Rig) -> None:
    groups = Groups(rig.cluster, rig.clock)
    await rig.put(group("ios"), group("spare"), node("a", groups=["ios", "spare"]), node("b", groups=["ios"]))
    await groups.run_once()
    seen = {one.metadata.name: (one.status.nodes, one.status.active_nodes) for one in rig.cluster.stores.groups}
    assert seen == {"ios": (2, 2), "spare": (1, 1)}
    await groups.run_once()
    assert len(rig.writes()) == 2
    await rig.put(node("b", groups=["ios"], state="Offline", meta={"version": 2}))
    await groups.run_once()
    assert [seen.path.split("/")[-2] for seen in rig.writes()[2:]] == ["ios"]


async def test_the_newest_object_is_judged_whoever_brings_it(rig: Rig) -> None:
    """kopf's event may be older than our cache, or newer."""
    groups = Groups(rig.cluster, rig.clock)
    old = group("ios")
    await rig.put(old)
    await groups.run_once()
    await groups.judge(old)
    assert len(rig.writes()) == 1
