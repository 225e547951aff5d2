"""Requests are taken up, followed at a bounded rate, and ended."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY

from anka_crds.api import TemplateDistribution
from anka_operator.distributions.controller import DistributionController
from anka_operator.registry_view.view import RegistryView
from support.fake_registry import FakeRegistry
from support.objects import TEMPLATE, distribution, group, node, permission_group, template
from support.operator_rig import Rig


@pytest.fixture
def distributions(rig: Rig) -> DistributionController:
    return DistributionController(rig.cluster, rig.clock, rig.view, lost_seconds=300, registry_url="http://r")


def current(rig: Rig, name: str = "request") -> TemplateDistribution:
    found = rig.cluster.stores.distributions.get(name)
    assert found is not None
    return found


def count(phase: str) -> float | None:
    return REGISTRY.get_sample_value("anka_operator_distributions", {"phase": phase})


async def report(rig: Rig, name: str, version: int, **work: Any) -> None:
    """As the agent of this Mac tells it."""
    uid = current(rig).metadata.uid
    told = {"distributions": [{"name": "request", "uid": uid, **work}]}
    await rig.put(node(name, status=told, meta={"version": version}))


async def test_a_life(rig: Rig, distributions: DistributionController) -> None:
    await rig.put(template(), node("a"), node("b"), distribution(ttlSecondsAfterFinished=60))
    await distributions.run_once()
    status = current(rig).status
    assert (status.phase, status.registry) == ("Running", "http://r")
    assert [entry.node_name for entry in status.nodes] == ["a", "b"]
    assert status.template is not None
    assert (status.template.id, status.template.tag) == (TEMPLATE, "v2")
    assert count("Running") == 1
    await rig.put(node("c"))  # joins later: a rule would be for that
    await report(rig, "a", 2, progressPercent=10)
    await distributions.run_once()
    await report(rig, "a", 3, progressPercent=20)
    assert await distributions.run_once() == 2
    assert current(rig).status.nodes[0].progress_percent == 10
    rig.clock.advance(2)
    await distributions.run_once()
    assert current(rig).status.nodes[0].progress_percent == 20
    await report(rig, "a", 4, done=True)
    await report(rig, "b", 2, done=True)
    await distributions.run_once()  # the end is told at once
    assert current(rig).status.phase == "Done"
    assert len(rig.writes()) == 4
    assert (count("Running"), count("Done")) == (0, 1)
    assert await distributions.run_once() == 60
    rig.clock.advance(60)
    await distributions.run_once()
    assert rig.cluster.stores.distributions.get("request") is None


async def test_a_change_of_its_macs_is_carried_out(rig: Rig, distributions: DistributionController) -> None:
    macs = [node("a"), node("b"), node("c", groups=["ios"])]
    await rig.put(template(), *macs, group("ios"), distribution(nodes=["a"]))
    await distributions.run_once()
    await report(rig, "a", 2, done=True)
    await distributions.run_once()
    assert current(rig).status.phase == "Done"

    async def change(generation: int, **spec: Any) -> list[str]:
        meta = {"generation": generation, "version": 100 * generation}
        await rig.put(distribution(status=current(rig).status.to_api(), meta=meta, **spec))
        await distributions.run_once()
        status = current(rig).status
        assert status.observed_generation == generation
        return [f"{entry.node_name} {'done' if entry.done else 'not yet'}" for entry in status.nodes]

    assert await change(2, nodes=["a", "b"]) == ["a done", "b not yet"]
    assert current(rig).status.phase == "Running"
    assert await change(3, group="ios") == ["c not yet"]
    assert await change(4, group="none") == ["c not yet"]
    # No Mac works for what is in Error.
    assert current(rig).status.phase == "Error"
    assert await change(5) == ["a not yet", "b not yet", "c not yet"]
    assert current(rig).status.phase == "Running"
    writes = len(rig.writes())
    await rig.put(node("d"))
    await distributions.run_once()
    assert len(rig.writes()) == writes


async def test_many_macs_are_told_less_often(rig: Rig, distributions: DistributionController) -> None:
    names = [f"mac-{number:03}" for number in range(100)]
    await rig.put(template(), *(node(name) for name in names), distribution())
    await distributions.run_once()
    await report(rig, names[0], 2, progressPercent=10)
    await distributions.run_once()
    await report(rig, names[0], 3, progressPercent=20)
    assert await distributions.run_once() == 5


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"template": "nope"}, "No template nope in the registry"),
        ({"tag": "v9"}, "Template macos-15 has no tag v9: it has v1, v2"),
        ({"group": "none"}, "There is no NodeGroup none"),
        ({"template": "nope", "action": "Remove"}, "No template nope in the registry, nor on a Mac"),
    ],
)
async def test_what_cannot_be_done_is_an_error_at_once(
    rig: Rig, distributions: DistributionController, spec: dict[str, Any], message: str
) -> None:
    await rig.put(template(), node("a"), distribution(**spec))
    await distributions.run_once()
    status = current(rig).status
    assert status.phase == "Error"
    assert next(one.message for one in status.conditions if one.type == "Ready") == message
    await distributions.run_once()
    assert len(rig.writes()) == 1


async def test_a_template_whose_versions_are_not_known_yet(rig: Rig, distributions: DistributionController) -> None:
    await rig.put(template(tags=()), group("ios"), node("a", groups=["ios"]), distribution(group="ios"))
    await distributions.run_once()
    assert current(rig).status.phase == "Pending"
    await rig.put(template(meta={"version": 2}))
    await distributions.run_once()
    assert current(rig).status.phase == "Running"


async def test_cancelled(rig: Rig, distributions: DistributionController) -> None:
    await rig.put(template(), node("a"), distribution())
    await distributions.run_once()
    running = current(rig)
    await rig.put(running.model_copy(update={"spec": running.spec.model_copy(update={"cancelled": True})}))
    await distributions.run_once()
    assert current(rig).status.phase == "Cancelled"
    await distributions.run_once()
    assert len(rig.writes()) == 2


async def test_a_mac_that_is_deleted_meanwhile(rig: Rig, distributions: DistributionController) -> None:
    await rig.put(template(), node("a"), distribution())
    await distributions.run_once()
    await rig.remove(node("a"))
    await distributions.run_once()
    assert current(rig).status.nodes[0].message == "There is no AnkaNode a"
    assert current(rig).status.phase == "Error"


async def test_one_that_is_being_deleted_is_left_alone(rig: Rig, distributions: DistributionController) -> None:
    leaving = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x/y"]}
    await rig.put(template(), node("a"), distribution(meta=leaving))
    await distributions.run_once()
    assert rig.writes() == []


async def test_it_means_the_latest_that_the_registry_has_after_the_request(rig: Rig) -> None:
    registry = FakeRegistry()
    registry.held = {TEMPLATE: ("macos-15", ["v1"])}  # the object still has v2
    view = RegistryView(rig.cluster.stores.templates, registry)
    distributions = DistributionController(rig.cluster, rig.clock, view, lost_seconds=300)
    await rig.put(template(), node("a"), distribution(), distribution("gone", tag="v2"))
    await distributions.run_once()
    resolved = current(rig).status.template
    assert resolved is not None
    assert resolved.tag == "v1"
    assert current(rig, "gone").status.phase == "Error"


async def test_macs_that_wait_for_their_turn_are_not_left_out_when_their_group_gets_another_name(
    rig: Rig, distributions: DistributionController, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anka_operator.distributions.turns.MAX_TARGETS", 1)
    macs = [node(name, groups=["g-1"]) for name in ("a", "b")]
    await rig.put(template(), group("g-1", called="iOS"), *macs, distribution(group="iOS"))
    await distributions.run_once()
    status = current(rig).status
    assert ([entry.node_name for entry in status.nodes], status.next_node) == (["a"], "b")
    await rig.put(group("g-1", called="watchOS"))
    await distributions.run_once()
    assert current(rig).status.phase == "Error"
    assert [one.message for one in current(rig).status.conditions if one.type == "Ready"] == [
        "There is no NodeGroup iOS"
    ]
    given_anew = distribution(group="watchOS", status=current(rig).status.to_api(), meta={"generation": 2})
    await rig.put(given_anew)
    await distributions.run_once()
    assert (current(rig).status.phase, current(rig).status.next_node) == ("Running", "b")


async def test_a_permission_group_has_the_macs_that_its_resources_permit(rig: Rig) -> None:
    loop = DistributionController(rig.cluster, rig.clock, rig.view, lost_seconds=300, enforces_permissions=True)
    ios = permission_group("ios", nodes={"a": ["distribute"], "b": ["list"]})
    await rig.put(template(), node("a"), node("b", displayName="Mac B"), ios)
    await rig.put(
        distribution("all", permissionGroup="ios"),
        distribution("named", permissionGroup="ios", nodes=["a"]),
        distribution("closed", permissionGroup="ios", nodes=["a", "Mac B"]),
        distribution("nobody's"),
        distribution("unknown", permissionGroup="web"),
    )
    await loop.run_once()

    def found(name: str) -> tuple[str, list[str], str]:
        status = current(rig, name).status
        return status.phase, [one.node_name for one in status.nodes], status.conditions[0].reason

    assert found("all") == ("Running", ["a"], "Pulling")
    assert found("named") == ("Running", ["a"], "Pulling")
    assert found("closed") == ("Error", [], "NotPermitted")
    assert current(rig, "closed").status.conditions[0].message == "Node b is closed to permission group ios"
    assert found("nobody's") == ("Running", ["a", "b"], "Pulling")
    assert found("unknown") == ("Error", [], "PermissionGroupNotFound")
    loop = DistributionController(rig.cluster, rig.clock, rig.view, lost_seconds=300)
    await rig.put(distribution("free", permissionGroup="web"))
    await loop.run_once()
    assert found("free") == ("Running", ["a", "b"], "Pulling")
