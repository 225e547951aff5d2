"""Every Mac is told what rules want on it, and only when that changes."""

from __future__ import annotations

from anka_operator.controllers.keeping import Keeping
from support.objects import node, template
from support.operator_rig import Rig


async def test_rules_come_move_on_and_go(rig: Rig) -> None:
    keeping = Keeping(rig.cluster, rig.clock, registry_url="http://r")

    async def tags() -> list[str]:
        await keeping.run_once()
        return [kept.tag for kept in rig.node("a").status.kept_templates]

    await rig.put(template(), node("a", groups=["ios"]), node("b"))
    assert await tags() == []
    assert rig.writes() == []
    await rig.put(template(meta={"version": 2}, distribution=[{"groups": ["ios"]}]))
    assert await tags() == ["v2"]
    await rig.put(template(tags=("v1", "v2", "v3"), meta={"version": 3}, distribution=[{"groups": ["ios"]}]))
    assert await tags() == ["v3"]
    assert await tags() == ["v3"]
    await rig.put(template(meta={"version": 4}))
    assert await tags() == []
    assert len(rig.writes()) == 3
    assert rig.node("b").status.kept_templates == []
