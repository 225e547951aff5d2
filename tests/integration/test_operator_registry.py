"""The mirror of a registry that really answers, and really goes down."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from anka_crds.resources import INSTANCES, TEMPLATES
from anka_crds.rules.condition_list import find
from anka_dev.cloud import LocalCloud
from anka_registry.client import RegistryClient
from anka_sim.registry.catalog import RegistryCatalog
from support.conditions import condition, is_true
from support.operators import NAMESPACE, OPERATOR_FLAGS, Fleet, until

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
        await asyncio.to_thread(operator.wait_ready)

        registry.start()
        async with RegistryClient(registry.url) as client:
            await client.delete(uuid)
        await fleet.instance("late", template="macos-16")
        await fleet.see(
            INSTANCES,
            "late",
            lambda one: (why := find(one.status.conditions, "Scheduled")) and why.reason == "TemplateNotFound",
            NAMESPACE,
        )

        async def is_gone() -> bool:
            return all(one.metadata.name != uuid for one in (await fleet.client.list(TEMPLATES)).items)

        await until(is_gone, "a template that is no longer there")
    finally:
        operator.stop()


async def test_it_reads_by_its_own_url_and_records_that_of_the_macs(fleet: Fleet, operator_cloud: LocalCloud) -> None:
    macs, registry = "http://registry.example:8089", operator_cloud.start_registry()
    uuid = registry.add_template("macos-17", ["v1"], size=1000)
    urls = (f"--registry-url={macs}", f"--registry-internal-url={registry.url}")
    operator = operator_cloud.start_operator(*OPERATOR_FLAGS, *urls, "--registry-seconds=0.5").wait_ready()
    try:
        await fleet.see(TEMPLATES, uuid, lambda one: is_true(one.status.conditions, "Ready"))
        await fleet.node("mac-1", slots=1)
        await fleet.instance("one", template="macos-17")
        assert (await fleet.bound("one")).status.registry == macs
    finally:
        operator.stop()


def fill(directory: Path, uuid: str, tags: int) -> None:
    """A template in which every tag adds a layer to those of the one before; of many tags, each has the last 20."""
    held = RegistryCatalog(directory).get(uuid)
    [first] = held["versions"]
    layers = [{"name": f"{number:08}-bea7-4f3f-9d1b-2f6c7e3f6c11.ank", "size": 1} for number in range(tags)]
    held["versions"] = [
        {
            **first,
            "number": number,
            "tag": f"build-{number}",
            "description": f"made by job {number}",
            "layers": layers[max(0, number - 400 if tags < 1000 else number - 20) : number + 1],
        }
        for number in range(tags)
    ]
    (directory / uuid / "template.json").write_text(json.dumps(held))


@pytest.mark.parametrize("tags", [300, 5000])
async def test_a_template_with_many_tags(fleet: Fleet, operator_cloud: LocalCloud, tags: int) -> None:
    """It is Ready, its oldest and its newest tag start, and what its object does not hold is told."""
    registry = operator_cloud.start_registry()
    name = f"many-{tags}"
    uuid = registry.add_template(name, ["build-0"], size=1000)
    fill(registry.directory, uuid, tags)
    operator = operator_cloud.start_operator(*OPERATOR_FLAGS).wait_ready()
    try:
        seen = await fleet.see(TEMPLATES, uuid, lambda one: one.status.versions and one)
        told = condition(seen, "Ready").message
        shown = len(seen.status.versions)
        cut = "" if shown == tags else f"; its newest {shown} of {tags} versions are shown, all can be started"
        assert told == f"In the registry{cut}"
        assert (seen.status.latest_tag, seen.status.versions[-1].tag) == (f"build-{tags - 1}",) * 2
        assert shown == tags or shown > 2000
        await fleet.node(f"mac-{tags}", slots=3)
        for wanted in ("build-0", f"build-{tags - 1}"):
            await fleet.instance(f"{name}-{wanted}", template=name, tag=wanted)
            bound = await fleet.bound(f"{name}-{wanted}")
            assert bound.status.template is not None
            assert bound.status.template.tag == wanted
    finally:
        operator.stop()
