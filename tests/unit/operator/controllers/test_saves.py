"""Requests to save: taken up, ended, and their instances deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaNode, SaveImage
from anka_operator.controllers.saves import Saves
from support.objects import START, instance, node, save_image
from support.operator_rig import Rig

VM = {"uuid": "vm-1", "name": "mgmtManaged-x", "status": "running"}
RUNS: dict[str, Any] = {"phase": "Started", "nodeName": "mac-1", "vm": VM}
TAKEN: dict[str, Any] = {"nodeName": "mac-1", "vmUuid": "vm-1"}


@pytest.fixture
def saves(rig: Rig) -> Saves:
    return Saves(rig.cluster, rig.clock, lost_seconds=300, registry_url="http://registry:8089")


def offline(since: float) -> AnkaNode:
    moment = (START + timedelta(seconds=since)).isoformat()
    alive = {"type": "Alive", "status": "False", "reason": "NoHeartbeat", "message": "", "lastTransitionTime": moment}
    return node(state="Offline", status={"conditions": [alive]})


def seen(rig: Rig) -> SaveImage:
    found = rig.cluster.stores.saves.get("save", "default")
    assert found is not None
    return found


async def test_one_write_gives_it_to_the_mac(rig: Rig, saves: Saves) -> None:
    await rig.put(node(), instance(status=RUNS), save_image())
    await saves.run_once()
    status = seen(rig).status
    assert (status.node_name, status.vm_uuid, status.registry) == ("mac-1", "vm-1", "http://registry:8089")
    assert status.phase == "Pending"
    await saves.run_once()
    assert len(rig.writes()) == 1


async def test_it_waits_for_the_start_and_says_so_once(rig: Rig, saves: Saves) -> None:
    await rig.put(node(), instance(), save_image())
    await saves.run_once()
    await saves.run_once()
    assert seen(rig).status.conditions[0].reason == "InstanceStarting"
    assert len(rig.writes()) == 1
    await rig.put(instance(status=RUNS))
    await saves.run_once()
    assert seen(rig).status.node_name == "mac-1"


async def test_an_instance_that_only_the_cache_lacks(rig: Rig, saves: Saves) -> None:
    await rig.put(node(), save_image())
    one = instance(status=RUNS).to_api()
    # It is in the API, and its event is on its way.
    rig.api.objects.setdefault("ankainstances", {})[("default", "one")] = {
        **one, "metadata": {**one["metadata"], "resourceVersion": "7"},
    }  # fmt: skip
    await saves.run_once()
    assert seen(rig).status.phase == "Pending"
    assert seen(rig).status.node_name == "mac-1"


async def test_no_such_instance(rig: Rig, saves: Saves) -> None:
    await rig.put(node(), save_image())
    await saves.run_once()
    status = seen(rig).status
    assert (status.phase, status.error and status.error.type) == ("Error", "InstanceNotFound")
    await saves.run_once()
    assert len(rig.writes()) == 1


async def test_the_instance_goes_once_it_is_saved(rig: Rig, saves: Saves) -> None:
    await rig.put(node(), instance(status={**RUNS, "phase": "Pushing"}), save_image(status={**TAKEN, "phase": "Done"}))
    await saves.run_once()
    (write,) = rig.writes()
    assert (write.verb, write.path.rsplit("/", 1)[-1]) == ("delete", "one")


async def test_deleted_before_its_turn_came(rig: Rig, saves: Saves) -> None:
    await rig.put(node(), save_image(status=TAKEN))
    await saves.run_once()
    status = seen(rig).status
    assert (status.phase, status.error and status.error.type) == ("Error", "InstanceDeleted")


async def test_a_node_that_is_lost(rig: Rig, saves: Saves) -> None:
    await rig.put(offline(since=-200), instance(status=RUNS), save_image(status=TAKEN))
    assert await saves.run_once() == pytest.approx(100)
    assert rig.writes() == []
    rig.clock.advance(100)
    await saves.run_once()
    status = seen(rig).status
    assert (status.phase, status.error and status.error.type) == ("Error", "NodeLost")
    assert "Node mac-1 is lost" in str(status.error)


async def test_a_node_that_is_gone(rig: Rig, saves: Saves) -> None:
    await rig.put(instance(status=RUNS), save_image(status=TAKEN))
    await saves.run_once()
    assert seen(rig).status.phase == "Error"


async def test_the_agent_was_faster(rig: Rig, saves: Saves) -> None:
    await rig.put(save_image(status=TAKEN))
    late = seen(rig)
    rig.api.put("saveimages", "save", spec=late.spec.to_api(), status={**TAKEN, "phase": "Done"})
    await saves.run_once()  # it still holds the old version, or sees the new one: Done stays either way
    assert rig.api.objects["saveimages"][("default", "save")]["status"]["phase"] == "Done"


@pytest.mark.parametrize(("phase", "condition"), [("Done", "Ready"), ("Error", "Stalled")])
async def test_one_that_is_over_is_deleted_when_its_time_has_passed(
    rig: Rig, saves: Saves, phase: str, condition: str
) -> None:
    given = {"type": condition, "status": "True", "reason": "x", "message": "", "lastTransitionTime": START.isoformat()}
    over = save_image(status={**TAKEN, "phase": phase, "conditions": [given]}, ttlSecondsAfterFinished=60)
    await rig.put(node(), over)
    rig.clock.advance(59)
    assert await saves.run_once() == 1.0
    assert rig.writes() == []
    rig.clock.advance(1)
    await saves.run_once()
    assert [one.verb for one in rig.writes()] == ["delete"]


async def test_its_instance_goes_first(rig: Rig, saves: Saves) -> None:
    given = {"type": "Ready", "status": "True", "reason": "x", "message": "", "lastTransitionTime": START.isoformat()}
    over = save_image(status={**TAKEN, "phase": "Done", "conditions": [given]}, ttlSecondsAfterFinished=0)
    await rig.put(node(), instance(status=RUNS), over)
    await saves.run_once()
    assert [one.path.rsplit("/", 2)[-2] for one in rig.writes()] == ["ankainstances"]
    assert seen(rig).status.phase == "Done"
