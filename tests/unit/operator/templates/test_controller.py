"""The mirror of the registry."""

from __future__ import annotations

import logging

import pytest

from anka_crds.api import AnkaTemplate
from anka_crds.api.meta import READ_REQUEST, KubeObject
from anka_crds.rules.condition_list import find
from anka_kube.errors import ApiError
from anka_operator.registry_view.view import RegistryView
from anka_operator.templates import controller as module
from anka_operator.templates.controller import TemplateController
from anka_operator.templates.desired import MIRRORED, REGISTRY
from support.fake_registry import FakeRegistry
from support.objects import TEMPLATE, group, node, template
from support.operator_rig import Rig
from support.scripted_api import Fault

OTHER = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()


class Mirror:
    def __init__(self, rig: Rig, registry: FakeRegistry | None) -> None:
        self.view = RegistryView(rig.cluster.stores.templates, registry)
        self.controller = TemplateController(rig.cluster, rig.clock, self.view)

    async def run(self) -> None:
        """Read the registry, then bring the objects up to date."""
        if self.view.has_registry:
            await self.view.poll()
        await self.controller.run_once()


@pytest.fixture
def mirror(rig: Rig, registry: FakeRegistry) -> Mirror:
    return Mirror(rig, registry)


def ready(rig: Rig, uuid: str = TEMPLATE) -> str:
    found = rig.cluster.stores.templates.get(uuid)
    assert found is not None
    condition = find(found.status.conditions, "Ready")
    assert condition is not None
    return condition.reason


async def test_mirrored_and_then_left_alone(rig: Rig, registry: FakeRegistry, mirror: Mirror) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1", "v2"]), OTHER: ("macos-14", ["a"])}
    await mirror.run()
    found = rig.cluster.stores.templates.get(TEMPLATE)
    assert found is not None
    assert found.metadata.labels == {MIRRORED: REGISTRY}
    assert (found.status.name, found.status.latest_tag, ready(rig)) == ("macos-15", "v2", "Ready")
    writes = len(rig.writes())
    assert writes == 4  # two created, two described
    for _ in range(3):
        await mirror.run()
    assert len(rig.writes()) == writes


async def test_who_holds_what(rig: Rig, registry: FakeRegistry, mirror: Mirror) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    await mirror.run()
    await rig.put(node(holds=("v1",)))
    await mirror.run()
    found = rig.cluster.stores.templates.get(TEMPLATE)
    assert found is not None
    assert [held.node_name for held in found.status.nodes] == ["mac-1"]


async def test_what_left_the_registry_goes_unless_somebody_wants_it(
    rig: Rig, registry: FakeRegistry, mirror: Mirror
) -> None:
    mirrored = {"labels": {MIRRORED: REGISTRY}}
    await rig.put(
        template(meta=mirrored),
        template(OTHER, "wanted", meta=mirrored, distribution=[{"tag": "v1"}]),
        template("22222222-2222-2222-2222-222222222222", "by hand"),
    )
    await mirror.run()
    assert sorted(one.status.name or "" for one in rig.cluster.stores.templates) == ["by hand", "wanted"]
    assert ready(rig, OTHER) == "NotInRegistry"


async def test_a_mirror_that_somebody_deletes_is_made_again(rig: Rig, registry: FakeRegistry, mirror: Mirror) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    await mirror.run()
    await rig.remove(template())
    await mirror.controller.run_once()
    assert rig.cluster.stores.templates.get(TEMPLATE) is not None


async def test_what_left_the_registry_goes_with_its_last_rule(rig: Rig, registry: FakeRegistry, mirror: Mirror) -> None:
    mirrored = {"labels": {MIRRORED: REGISTRY}}
    await rig.put(template(meta=mirrored, distribution=[{"tag": "v1"}]))
    await mirror.run()
    assert ready(rig) == "NotInRegistry"
    await rig.put(template(meta={**mirrored, "version": 9}))
    await mirror.controller.run_once()
    assert rig.cluster.stores.templates.get(TEMPLATE) is None


async def test_a_mirror_that_the_api_did_not_take_is_made_later(
    rig: Rig, registry: FakeRegistry, mirror: Mirror
) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    rig.api.fail("create", Fault(403, reason="Forbidden", message="not now"))
    with pytest.raises(ApiError):
        await mirror.run()
    await mirror.controller.run_once()
    assert rig.cluster.stores.templates.get(TEMPLATE) is not None


async def test_rules_choose_by_names_as_they_are_now(rig: Rig) -> None:
    """Not as they were when everything was looked at: the clock of this test stands."""
    mirror = Mirror(rig, None)
    rules = [{"groups": ["iOS"]}, {"nodes": ["Mini"]}]
    await rig.put(group("g-1"), node("a", groups=["g-1"]), node("b"), template(distribution=rules))

    async def is_distributing_after(*changed: KubeObject) -> bool:
        await rig.put(*changed)
        for _ in range(2):  # the second time for its own writes
            await mirror.run()
        found = rig.cluster.stores.templates.get(TEMPLATE)
        return found is not None and find(found.status.conditions, "Reconciling") is not None

    assert not await is_distributing_after()
    assert await is_distributing_after(group("g-1", called="iOS"))
    assert not await is_distributing_after(group("g-1", called="watchOS"))
    assert await is_distributing_after(node("b", displayName="Mini", meta={"version": 2}))
    assert not await is_distributing_after(node("b", displayName="Studio", meta={"version": 3}))


async def test_a_registry_that_is_down_changes_nothing(
    rig: Rig, registry: FakeRegistry, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    await mirror.run()
    writes = len(rig.writes())
    registry.down = True
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            await mirror.run()
        registry.down = False
        await mirror.run()
    assert [record.getMessage() for record in caplog.records] == [
        "registry http://registry:8089 does not answer: refused; templates stay as they are",
        "the registry answers",
    ]
    assert len(rig.writes()) == writes


async def test_down_from_the_start_keeps_the_mirrors_of_an_earlier_run(
    rig: Rig, registry: FakeRegistry, mirror: Mirror
) -> None:
    registry.down = True
    await rig.put(template(meta={"labels": {MIRRORED: REGISTRY}}))
    await mirror.run()
    assert ready(rig) == "Ready"
    assert len(rig.cluster.stores.templates) == 1


async def test_an_object_made_by_hand_meanwhile(rig: Rig, registry: FakeRegistry, mirror: Mirror) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    rig.api.objects.setdefault("ankatemplates", {})["", TEMPLATE] = {
        "metadata": {"name": TEMPLATE, "uid": "by-hand", "resourceVersion": "1"}
    }
    await mirror.run()
    assert rig.api.count("create") == 1


async def test_a_registry_that_wants_another_credential(rig: Rig, registry: FakeRegistry, mirror: Mirror) -> None:
    """It counts as away: nothing is taken for gone, and the reason is another."""
    await rig.put(template(), template(OTHER, "empty", ()))
    registry.unauthorized = True
    await mirror.run()
    assert (ready(rig), ready(rig, OTHER)) == ("Ready", "RegistryUnauthorized")
    registry.unauthorized, registry.down = False, True
    await mirror.run()
    assert ready(rig, OTHER) == "RegistryUnreachable"


async def test_without_a_registry(rig: Rig) -> None:
    await rig.put(template(), template(OTHER, "empty", ()))
    await Mirror(rig, None).run()
    assert (ready(rig), ready(rig, OTHER)) == ("Ready", "RegistryUnreachable")


def request(rig: Rig, token: str) -> AnkaTemplate:
    """As REST writes it when it has changed the template in the registry."""
    found = rig.cluster.stores.templates.get(TEMPLATE)
    assert found is not None
    annotations = {READ_REQUEST: token}
    return found.model_copy(update={"metadata": found.metadata.model_copy(update={"annotations": annotations})})


async def test_a_request_to_read_again_is_fulfilled_by_a_later_read(rig: Rig, registry: FakeRegistry) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1", "v2"])}
    mirror = Mirror(rig, registry)
    await mirror.run()
    async with mirror.controller:
        registry.held = {TEMPLATE: ("macos-15", ["v1"])}
        for token in ("a", "b"):  # the second changes nothing else
            await rig.put(request(rig, token))
            found = await rig.cluster.stores.templates.wait_for(
                lambda store, token=token: one if seen_request(one := store.get(TEMPLATE)) == token else None,  # type: ignore[misc]
                5,
            )
            assert found.status.latest_tag == "v1"


def seen_request(template: AnkaTemplate | None) -> str | None:
    return None if template is None else template.status.read_request


async def test_a_request_for_a_template_that_is_gone_removes_the_object(rig: Rig, registry: FakeRegistry) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    mirror = Mirror(rig, registry)
    await mirror.run()
    async with mirror.controller:
        registry.held = {}
        await rig.put(request(rig, "a"))
        await rig.cluster.stores.templates.wait_for(lambda store: store.get(TEMPLATE) is None, 60)


async def test_a_request_while_the_registry_is_down_waits_for_it(
    rig: Rig, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    mirror = Mirror(rig, registry)
    await mirror.run()
    async with mirror.controller:
        registry.down = True
        registry.begun.clear()
        await rig.put(request(rig, "a"))
        await registry.begun.wait()
        assert seen_request(rig.cluster.stores.templates.get(TEMPLATE)) is None
        registry.down = False
        await rig.cluster.stores.templates.wait_for(lambda store: seen_request(store.get(TEMPLATE)) == "a", 60)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(422, reason="Invalid", message="status.versions: Too many: must have at most 5000 items"),
        Fault(500, reason="InternalError", message="etcdserver: request is too large"),
    ],
)
async def test_a_status_that_the_api_refuses_is_told_in_the_object(
    rig: Rig, registry: FakeRegistry, mirror: Mirror, fault: Fault
) -> None:
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}
    await rig.put(template(tags=()))
    await mirror.view.poll()
    rig.api.fail("patch", fault)
    with pytest.raises(ApiError):
        await mirror.controller.run_once()
    assert ready(rig) == "StatusRefused"
    await mirror.controller.run_once()
    assert ready(rig) == "Ready"
