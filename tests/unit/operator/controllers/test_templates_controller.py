"""The mirror of the registry."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from anka_crds.core.conditions import find
from anka_crds.registry.client import RegistryClient
from anka_crds.registry.errors import RegistryError, RegistryRefused
from anka_crds.registry.models import RegistryRow, RegistryTemplate
from anka_operator.controllers.templates import Templates
from anka_operator.reconcile.template import MIRRORED, REGISTRY
from support.objects import TEMPLATE, node, template
from support.operator_rig import Rig

OTHER = "11111111-1111-1111-1111-111111111111"


class FakeRegistry(RegistryClient):
    def __init__(self) -> None:
        super().__init__("http://registry:8089")
        self.held: dict[str, tuple[str, Sequence[str]]] = {}
        self.down = False
        self.vanishing: set[str] = set()
        self.asked = 0

    async def templates(self) -> list[RegistryRow]:
        self.asked += 1
        if self.down:
            raise RegistryError("registry http://registry:8089 does not answer: refused")
        return [RegistryRow(id=uuid, name=name) for uuid, (name, _) in self.held.items()]

    async def template(self, uuid: str) -> RegistryTemplate:
        if uuid in self.vanishing:
            raise RegistryRefused("template", "not found")
        name, tags = self.held[uuid]
        versions = [{"number": number, "tag": tag} for number, tag in enumerate(tags)]
        return RegistryTemplate.model_validate({"id": uuid, "name": name, "versions": versions})


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def templates(rig: Rig, registry: FakeRegistry) -> Templates:
    return Templates(rig.cluster, rig.clock, registry, interval_seconds=30)


def ready(rig: Rig, uuid: str = TEMPLATE) -> str:
    found = rig.cluster.stores.templates.get(uuid)
    assert found is not None
    condition = find(found.status.conditions, "Ready")
    assert condition is not None
    return condition.reason


async def test_mirrored_and_then_left_alone(rig: Rig, registry: FakeRegistry, templates: Templates) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1", "v2"]), OTHER: ("macos-14", ["a"])}
    assert await templates.run_once() == 30
    found = rig.cluster.stores.templates.get(TEMPLATE)
    assert found is not None
    assert found.metadata.labels == {MIRRORED: REGISTRY}
    assert (found.status.name, found.status.latest_tag, ready(rig)) == ("macos-15", "v2", "Ready")
    writes = len(rig.writes())
    assert writes == 4  # two created, two described
    for _ in range(3):
        rig.clock.advance(30)
        await templates.run_once()
    assert registry.asked == 4
    assert len(rig.writes()) == writes


async def test_the_registry_is_not_asked_more_often(rig: Rig, registry: FakeRegistry, templates: Templates) -> None:
    await templates.run_once()
    rig.clock.advance(29)
    assert await templates.run_once() == 1
    assert registry.asked == 1


async def test_who_holds_what(rig: Rig, registry: FakeRegistry, templates: Templates) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    await templates.run_once()
    await rig.put(node(holds=("v1",)))
    await templates.run_once()
    found = rig.cluster.stores.templates.get(TEMPLATE)
    assert found is not None
    assert [held.node_name for held in found.status.nodes] == ["mac-1"]


async def test_what_left_the_registry_goes_unless_somebody_wants_it(
    rig: Rig, registry: FakeRegistry, templates: Templates
) -> None:
    mirrored = {"labels": {MIRRORED: REGISTRY}}
    await rig.put(
        template(meta=mirrored),
        template(OTHER, "wanted", meta=mirrored, distribution=[{"tag": "v1"}]),
        template("22222222-2222-2222-2222-222222222222", "by hand"),
    )
    await templates.run_once()
    assert sorted(one.status.name or "" for one in rig.cluster.stores.templates) == ["by hand", "wanted"]
    assert ready(rig, OTHER) == "NotInRegistry"


async def test_a_registry_that_is_down_changes_nothing(
    rig: Rig, registry: FakeRegistry, templates: Templates, caplog: pytest.LogCaptureFixture
) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    await templates.run_once()
    writes = len(rig.writes())
    registry.down = True
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            rig.clock.advance(30)
            await templates.run_once()
        registry.down = False
        rig.clock.advance(30)
        await templates.run_once()
    assert [record.getMessage() for record in caplog.records] == [
        "registry http://registry:8089 does not answer: refused; templates stay as they are",
        "the registry answers",
    ]
    assert len(rig.writes()) == writes


async def test_down_from_the_start_keeps_the_mirrors_of_an_earlier_run(
    rig: Rig, registry: FakeRegistry, templates: Templates
) -> None:
    registry.down = True
    await rig.put(template(meta={"labels": {MIRRORED: REGISTRY}}))
    await templates.run_once()
    assert ready(rig) == "Ready"
    assert len(rig.cluster.stores.templates) == 1


async def test_a_template_deleted_between_list_and_look(rig: Rig, registry: FakeRegistry, templates: Templates) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    registry.vanishing = {TEMPLATE}
    await templates.run_once()
    assert len(rig.cluster.stores.templates) == 0


async def test_an_object_made_by_hand_meanwhile(rig: Rig, registry: FakeRegistry, templates: Templates) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    rig.api.objects.setdefault("ankatemplates", {})["", TEMPLATE] = {
        "metadata": {"name": TEMPLATE, "uid": "by-hand", "resourceVersion": "1"}
    }
    await templates.run_once()
    assert rig.api.count("create") == 1


async def test_without_a_registry(rig: Rig) -> None:
    await rig.put(template(), template(OTHER, "empty", ()))
    assert await Templates(rig.cluster, rig.clock, None).run_once() is None
    assert (ready(rig), ready(rig, OTHER)) == ("Ready", "RegistryUnreachable")
