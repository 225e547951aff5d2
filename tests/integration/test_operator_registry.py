"""The mirror of a registry that really answers, and really goes down."""

from __future__ import annotations

import pytest

from anka_crds.core.conditions import find, is_true
from anka_crds.kube.kinds import INSTANCES, TEMPLATES
from anka_crds.registry.client import RegistryClient
from anka_dev.cloud import LocalCloud
from support.conditions import condition
from support.operators import NAMESPACE, OPERATOR_FLAGS, Fleet

pytestmark = pytest.mark.integration


async def test_templates_come_change_stay_and_go(fleet: Fleet, operator_cloud: LocalCloud) -> None:
    registry = operator_cloud.start_registry()
    uuid = registry.add_template("macos-16", ["v1"], size=1000)
    operator = operator_cloud.start_operator(*OPERATOR_FLAGS, "--registry-seconds=0.5").wait_ready()
    try:
        seen = await fleet.see(TEMPLATES, uuid, lambda one: is_true(one.status.conditions, "Ready"))
        assert (seen.status.name, seen.status.latest_tag) == ("macos-16", "v1")
        assert operator_cloud.kubectl.run(
            "get", "ankatemplates", "--selector=anka.veertu.com/mirrored=registry", "-oname"
        )
        registry.add_template("macos-16", ["v2"], size=1000, uuid=uuid)
        await fleet.see(TEMPLATES, uuid, lambda one: one.status.latest_tag == "v2")

        registry.stop()
        await fleet.node("mac-1", slots=1)
        await fleet.instance("one", template="macos-16")
        assert (await fleet.bound("one")).status.registry == registry.url
        assert operator.ready()

        registry.start()
        async with RegistryClient(registry.url) as client:
            await client.delete(uuid)
        await fleet.instance("late", template="macos-16")
        told = await fleet.see(INSTANCES, "late", lambda one: find(one.status.conditions, "Scheduled"), NAMESPACE)
        assert condition(told, "Scheduled").reason in ("TemplateNotFound", "Unschedulable")
        await fleet.see(
            INSTANCES,
            "late",
            lambda one: condition(one, "Scheduled").reason == "TemplateNotFound",
            NAMESPACE,
            seconds=30,
        )
        assert [one for one in (await fleet.client.list(TEMPLATES)).items if one.metadata.name == uuid] == []
    finally:
        operator.stop()
