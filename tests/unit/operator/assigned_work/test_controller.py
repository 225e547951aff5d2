"""A Mac is told of the work that it has to watch when that comes and goes, and only then."""

from __future__ import annotations

from typing import Any

import pytest

from anka_operator.assigned_work.controller import AssignedWorkController
from support.objects import distribution, instance, node, save_image
from support.operator_rig import Rig


class Desk:
    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.controller = AssignedWorkController(rig.cluster, rig.clock)

    async def told(self) -> dict[str, str]:
        """What each Mac is told: s for saves, d for distributions."""
        await self.controller.run_once()
        found: dict[str, str] = {}
        for one in self.rig.cluster.stores.nodes:
            said = one.status.assigned
            assert said is not None
            found[one.metadata.name] = ("s" if said.saves else "") + ("d" if said.distributions else "")
        return found


@pytest.fixture
async def desk(rig: Rig) -> Desk:
    desk = Desk(rig)
    await rig.put(node("a"), node("b"), instance(status={"nodeName": "a"}))
    assert await desk.told() == {"a": "", "b": ""}
    assert len(rig.writes()) == 2
    return desk


def bound(version: int, **status: Any) -> Any:
    return save_image(status={"nodeName": "a", "instanceId": "uid-one", **status}, meta={"version": version})


async def test_a_save_from_its_bind_to_the_end_of_its_instance(desk: Desk) -> None:
    """The clock stands, so every run is for what has changed."""
    await desk.rig.put(save_image())
    assert await desk.told() == {"a": "", "b": ""}
    await desk.rig.put(bound(2))
    assert await desk.told() == {"a": "s", "b": ""}
    await desk.rig.put(bound(3, phase="Done"))
    assert await desk.told() == {"a": "s", "b": ""}
    await desk.rig.remove(instance())
    assert await desk.told() == {"a": "", "b": ""}
    assert len(desk.rig.writes()) == 4


async def test_a_save_that_is_deleted(desk: Desk) -> None:
    await desk.rig.put(bound(1))
    assert await desk.told() == {"a": "s", "b": ""}
    await desk.rig.remove(save_image())
    assert await desk.told() == {"a": "", "b": ""}


async def test_a_distribution_until_each_mac_is_done(desk: Desk) -> None:
    def running(version: int, *done: str, **spec: Any) -> Any:
        entries = [{"nodeName": name, "done": name in done} for name in ("a", "b")]
        return distribution(status={"phase": "Running", "nodes": entries}, meta={"version": version}, **spec)

    await desk.rig.put(distribution(status={"phase": "Pending"}))
    assert await desk.told() == {"a": "", "b": ""}
    await desk.rig.put(running(2))
    assert await desk.told() == {"a": "d", "b": "d"}
    await desk.rig.put(running(3, "a"))
    assert await desk.told() == {"a": "", "b": "d"}
    await desk.rig.put(running(4, "a", cancelled=True))
    assert await desk.told() == {"a": "", "b": ""}
    assert len(desk.rig.writes()) == 6
    assert await desk.told() == {"a": "", "b": ""}
    assert len(desk.rig.writes()) == 6


async def test_a_mac_that_joins_is_told(desk: Desk) -> None:
    await desk.rig.put(bound(1), node("c"))
    assert await desk.told() == {"a": "s", "b": "", "c": ""}
