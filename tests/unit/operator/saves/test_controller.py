"""Requests to save: taken up, ended, and their instances deleted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaNode, SaveImage
from anka_operator.registry_view.view import RegistryView
from anka_operator.saves.controller import PUBLISH_SECONDS, RETRY_SECONDS, SaveController
from anka_operator.templates.controller import TemplateController
from support.fake_registry import FakeRegistry
from support.objects import START, TEMPLATE, instance, node, save_image, template
from support.operator_rig import Rig

VM = {"uuid": "vm-1", "name": "mgmtManaged-x", "status": "running"}
RUNS: dict[str, Any] = {"phase": "Started", "nodeName": "mac-1", "vm": VM}
TAKEN: dict[str, Any] = {"nodeName": "mac-1", "vmUuid": "vm-1"}


@pytest.fixture
def saves(rig: Rig) -> SaveController:
    mirror = TemplateController(rig.cluster, rig.clock, rig.view)
    return SaveController(
        rig.cluster, rig.clock, rig.view, mirror, lost_seconds=300, registry_url="http://registry:8089"
    )


def offline(since: float) -> AnkaNode:
    moment = (START + timedelta(seconds=since)).isoformat()
    alive = {"type": "Alive", "status": "False", "reason": "NoHeartbeat", "message": "", "lastTransitionTime": moment}
    return node(state="Offline", status={"conditions": [alive]})


def seen(rig: Rig) -> SaveImage:
    found = rig.cluster.stores.saves.get("save", "default")
    assert found is not None
    return found


async def test_one_write_gives_it_to_the_mac(rig: Rig, saves: SaveController) -> None:
    await rig.put(node(), instance(status=RUNS), save_image())
    await saves.run_once()
    status = seen(rig).status
    assert (status.node_name, status.vm_uuid, status.registry) == ("mac-1", "vm-1", "http://registry:8089")
    assert status.phase == "Pending"
    await saves.run_once()
    assert len(rig.writes()) == 1


async def test_the_mac_gets_the_id_of_a_template_that_is_named(rig: Rig, saves: SaveController) -> None:
    await rig.put(node(), template(), instance(status=RUNS), save_image(targetTemplate="macos-15"))
    await saves.run_once()
    assert (seen(rig).status.target_template, seen(rig).target) == (TEMPLATE, TEMPLATE)
    assert len(rig.writes()) == 1


@pytest.mark.parametrize(("word", "reason"), [("macos-15", "TemplateAmbiguous"), ("Sequoia", "TemplateNotFound")])
async def test_a_name_that_is_no_target_ends_the_request(
    rig: Rig, saves: SaveController, word: str, reason: str
) -> None:
    two = (template(displayName="Sequoia"), template("t2"))
    await rig.put(node(), *two, instance(status=RUNS), save_image(targetTemplate=word))
    await saves.run_once()
    status = seen(rig).status
    assert (status.phase, status.node_name, status.error and status.error.type) == ("Error", None, reason)
    await saves.run_once()
    assert len(rig.writes()) == 1


async def test_a_name_in_a_registry_that_does_not_answer_is_left_to_the_agent(rig: Rig) -> None:
    registry = FakeRegistry()
    registry.down = True
    view = RegistryView(rig.cluster.stores.templates, registry)
    saves = SaveController(rig.cluster, rig.clock, view, TemplateController(rig.cluster, rig.clock, view))
    await rig.put(node(), template(), instance(status=RUNS), save_image(targetTemplate="macos-15"))
    await saves.run_once()
    assert (seen(rig).status.node_name, seen(rig).status.target_template) == ("mac-1", None)


async def test_the_template_of_another_registry_is_not_ours(rig: Rig, saves: SaveController) -> None:
    own = instance(status={**RUNS, "registry": "http://own"})
    await rig.put(node(), template(), own, save_image(targetTemplate="macos-15"))
    await saves.run_once()
    assert (seen(rig).status.registry, seen(rig).status.target_template) == ("http://own", None)


async def test_it_waits_for_the_start_and_says_so_once(rig: Rig, saves: SaveController) -> None:
    await rig.put(node(), instance(), save_image())
    await saves.run_once()
    await saves.run_once()
    assert seen(rig).status.conditions[0].reason == "InstanceStarting"
    assert len(rig.writes()) == 1
    await rig.put(instance(status=RUNS))
    await saves.run_once()
    assert seen(rig).status.node_name == "mac-1"


async def test_an_instance_that_only_the_cache_lacks(rig: Rig, saves: SaveController) -> None:
    await rig.put(node(), save_image())
    one = instance(status=RUNS).to_api()
    # It is in the API, and its event is on its way.
    rig.api.objects.setdefault("ankainstances", {})[("default", "one")] = {
        **one, "metadata": {**one["metadata"], "resourceVersion": "7"},
    }  # fmt: skip
    await saves.run_once()
    assert seen(rig).status.phase == "Pending"
    assert seen(rig).status.node_name == "mac-1"


async def test_no_such_instance(rig: Rig, saves: SaveController) -> None:
    await rig.put(node(), save_image())
    await saves.run_once()
    status = seen(rig).status
    assert (status.phase, status.error and status.error.type) == ("Error", "InstanceNotFound")
    await saves.run_once()
    assert len(rig.writes()) == 1


async def test_the_instance_goes_once_it_is_saved(rig: Rig, saves: SaveController) -> None:
    await rig.put(node(), instance(status={**RUNS, "phase": "Pushing"}), save_image(status={**TAKEN, "phase": "Done"}))
    await saves.run_once()
    (write,) = rig.writes()
    assert (write.verb, write.path.rsplit("/", 1)[-1]) == ("delete", "one")


PUSHED = {**TAKEN, "pushedAt": START.isoformat()}


async def test_done_is_told_once_the_template_shows_what_was_pushed(rig: Rig) -> None:
    registry = FakeRegistry()
    registry.held = {TEMPLATE: ("macos-15", ["v1", "v2", "saved"])}
    registry.gate = asyncio.Event()
    view = RegistryView(rig.cluster.stores.templates, registry)
    async with TemplateController(rig.cluster, rig.clock, view) as mirror:
        saves = SaveController(rig.cluster, rig.clock, view, mirror)
        save = save_image(status=PUSHED, targetTemplate=TEMPLATE, tag="saved")
        # Neither a Mac that is lost nor an instance that is gone takes back what was pushed.
        await rig.put(template(), offline(since=-1000), save)
        running = asyncio.create_task(saves.run_once())
        await registry.begun.wait()
        assert seen(rig).status.phase == "Pending"
        registry.gate.set()
        await running
    status = seen(rig).status
    assert (status.phase, status.conditions[0].message) == ("Done", f"Pushed as {TEMPLATE}:saved")
    written = [one.path.split("/v1alpha1/")[1] for one in rig.writes()]
    assert [path for path in written if "/one" not in path][-1].endswith("saveimages/save/status")
    found = rig.cluster.stores.templates.get(TEMPLATE)
    assert found is not None
    assert found.status.latest_tag == "saved"


async def test_what_is_pushed_elsewhere_is_done_at_once(rig: Rig) -> None:
    """No AnkaTemplate shows it, and our registry is not asked."""
    registry = FakeRegistry()
    registry.down = True
    view = RegistryView(rig.cluster.stores.templates, registry)
    async with TemplateController(rig.cluster, rig.clock, view) as mirror:
        saves = SaveController(rig.cluster, rig.clock, view, mirror, registry_url="http://registry:8089")
        save = save_image(status=PUSHED, targetTemplate=TEMPLATE, tag="saved", registry="http://push:8089")
        await rig.put(template(), save)
        await saves.run_once()
    status = seen(rig).status
    assert (status.phase, status.conditions[0].message) == ("Done", f"Pushed as {TEMPLATE}:saved to http://push:8089")


async def test_another_registry_is_told_to_the_mac(rig: Rig, saves: SaveController) -> None:
    wanted = save_image(targetTemplate="macos-15", registry="http://push:8089")
    await rig.put(node(), template(), instance(status=RUNS), wanted)
    await saves.run_once()
    assert (seen(rig).status.registry, seen(rig).status.target_template) == ("http://push:8089", None)


async def test_a_new_template_is_there_before_done_is_told(rig: Rig) -> None:
    registry = FakeRegistry()
    registry.held = {"vm-1": ("macos-xcode", ["first"])}
    view = RegistryView(rig.cluster.stores.templates, registry)
    async with TemplateController(rig.cluster, rig.clock, view) as mirror:
        save = save_image(status=PUSHED, targetTemplate=None, newTemplateName="macos-xcode", tag="first")
        await rig.put(save)
        await SaveController(rig.cluster, rig.clock, view, mirror).run_once()
    assert seen(rig).status.phase == "Done"
    found = rig.cluster.stores.templates.get("vm-1")
    assert found is not None
    assert found.status.latest_tag == "first"


async def test_a_registry_that_does_not_answer_delays_the_end_for_a_minute(rig: Rig) -> None:
    registry = FakeRegistry()
    registry.down = True
    view = RegistryView(rig.cluster.stores.templates, registry)
    saves = SaveController(rig.cluster, rig.clock, view, TemplateController(rig.cluster, rig.clock, view))
    await rig.put(save_image(status=PUSHED))
    assert await saves.run_once() == RETRY_SECONDS
    assert seen(rig).status.phase == "Pending"
    rig.clock.advance(PUBLISH_SECONDS)
    await saves.run_once()
    status = seen(rig).status
    assert (status.phase, "does not answer" in status.conditions[0].message) == ("Done", True)


async def test_nothing_is_kept_of_a_save_that_is_deleted_before_its_end(rig: Rig) -> None:
    registry = FakeRegistry()
    registry.down = True
    view = RegistryView(rig.cluster.stores.templates, registry)
    saves = SaveController(rig.cluster, rig.clock, view, TemplateController(rig.cluster, rig.clock, view))
    await rig.put(save_image(status=PUSHED))
    await saves.run_once()
    assert list(saves._pushed_since) == ["uid-save"]
    await rig.remove(save_image())
    assert saves._pushed_since == {}


async def test_deleted_before_its_turn_came(rig: Rig, saves: SaveController) -> None:
    await rig.put(node(), save_image(status=TAKEN))
    await saves.run_once()
    status = seen(rig).status
    assert (status.phase, status.error and status.error.type) == ("Error", "InstanceDeleted")


async def test_a_node_that_is_lost(rig: Rig, saves: SaveController) -> None:
    await rig.put(offline(since=-200), instance(status=RUNS), save_image(status=TAKEN))
    assert await saves.run_once() == pytest.approx(100)
    assert rig.writes() == []
    rig.clock.advance(100)
    await saves.run_once()
    status = seen(rig).status
    assert (status.phase, status.error and status.error.type) == ("Error", "NodeLost")
    assert "Node mac-1 is lost" in str(status.error)


async def test_a_node_that_is_gone(rig: Rig, saves: SaveController) -> None:
    await rig.put(instance(status=RUNS), save_image(status=TAKEN))
    await saves.run_once()
    assert seen(rig).status.phase == "Error"


async def test_the_agent_was_faster(rig: Rig, saves: SaveController) -> None:
    await rig.put(save_image(status=TAKEN))
    late = seen(rig)
    rig.api.put("saveimages", "save", spec=late.spec.to_api(), status={**TAKEN, "phase": "Done"})
    await saves.run_once()  # it still holds the old version, or sees the new one: Done stays either way
    assert rig.api.objects["saveimages"][("default", "save")]["status"]["phase"] == "Done"


@pytest.mark.parametrize(("phase", "condition"), [("Done", "Ready"), ("Error", "Stalled")])
async def test_one_that_is_over_is_deleted_when_its_time_has_passed(
    rig: Rig, saves: SaveController, phase: str, condition: str
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


async def test_its_instance_goes_first(rig: Rig, saves: SaveController) -> None:
    given = {"type": "Ready", "status": "True", "reason": "x", "message": "", "lastTransitionTime": START.isoformat()}
    over = save_image(status={**TAKEN, "phase": "Done", "conditions": [given]}, ttlSecondsAfterFinished=0)
    await rig.put(node(), instance(status=RUNS), over)
    await saves.run_once()
    assert [one.path.rsplit("/", 2)[-2] for one in rig.writes()] == ["ankainstances"]
    assert seen(rig).status.phase == "Done"
