"""Every Mac is told what rules want on it, and only when that changes."""

from __future__ import annotations

import math

import pytest

from anka_crds.api import AnkaNode, NodeGroup
from anka_operator.kept_templates.controller import TemplateRetention
from anka_operator.registry_view.view import RegistryView
from support.fake_registry import FakeRegistry
from support.objects import TEMPLATE, group, node, template
from support.operator_rig import Rig


async def test_rules_come_move_on_and_go(rig: Rig) -> None:
    keeping = TemplateRetention(rig.cluster, rig.clock, rig.view, registry_url="http://r")

    async def tags() -> list[str]:
        await keeping.run_once()
        return [one.tag for one in rig.node("a").status.kept_templates]

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


def kept(rig: Rig) -> list[str]:
    """The Macs that keep something."""
    return sorted(one.metadata.name for one in rig.cluster.stores.nodes if one.status.kept_templates)


BY_NAME = [{"groups": ["iOS"]}, {"nodes": ["Mini"]}]
RENAMED: list[tuple[str, NodeGroup | AnkaNode, list[str]]] = [
    ("a group gets the name", group("g-1", called="iOS"), ["a"]),
    ("a second group gets the name", group("g-2", called="iOS"), []),
    ("the second group gets another", group("g-2", called="watchOS"), ["a"]),
    ("a Mac gets the name", node("b", displayName="Mini"), ["a", "b"]),
    ("another Mac joins with the name", node("c", displayName="Mini"), ["a"]),
    ("and gets another", node("c", displayName="Studio"), ["a", "b"]),
    ("a Mac joins whose id is the name", node("Mini"), ["Mini", "a"]),
]


async def test_who_gets_another_name_is_chosen_by_it_at_once(rig: Rig) -> None:
    """Not when everything is looked at again: the clock of this test stands."""
    keeping = TemplateRetention(rig.cluster, rig.clock, rig.view)
    await rig.put(template(distribution=BY_NAME), group("g-1"), group("g-2"), node("a", groups=["g-1"]), node("b"))
    await keeping.run_once()
    assert kept(rig) == []
    for what, obj, expected in RENAMED:
        known = rig.store(obj).get(obj.metadata.name)
        await rig.put(obj if known is None else known.model_copy(update={"spec": obj.spec}))
        for _ in range(2):  # the second time for its own writes
            await keeping.run_once()
        assert kept(rig) == expected, what


async def test_what_the_first_list_does_not_have_is_kept_no_longer(rig: Rig) -> None:
    registry = FakeRegistry()
    view = RegistryView(rig.cluster.stores.templates, registry)
    keeping = TemplateRetention(rig.cluster, rig.clock, view)
    await rig.put(template(distribution=[{}]), node("a"))
    for _ in range(2):  # the second time for its own write
        await keeping.run_once()
    assert kept(rig) == ["a"]
    await view.poll()
    await keeping.run_once()
    assert kept(rig) == []


async def test_a_template_that_a_mac_has_pulled_concerns_no_other_mac(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = FakeRegistry()
    registry.held = {TEMPLATE: ("macos-15", ["v1", "v2"])}
    view = RegistryView(rig.cluster.stores.templates, registry)
    keeping = TemplateRetention(rig.cluster, rig.clock, view)
    await rig.put(template(distribution=[{}]), node("a"), node("b"))
    await view.poll()
    for _ in range(2):
        await keeping.run_once()
    looked_at: list[str] = []

    async def reconcile(obj: AnkaNode) -> float:
        looked_at.append(obj.metadata.name)
        return math.inf

    monkeypatch.setattr(keeping, "reconcile", reconcile)
    held = {"nodes": [{"nodeName": "a", "tag": "v2"}]}
    await rig.put(template(distribution=[{}], status=held, meta={"version": 2}))
    await keeping.run_once()
    assert looked_at == []
    registry.held = {TEMPLATE: ("macos-15", ["v1", "v2", "v3"])}
    await view.poll()
    await keeping.run_once()
    assert sorted(looked_at) == ["a", "b"]
