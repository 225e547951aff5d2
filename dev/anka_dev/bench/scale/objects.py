"""The objects of a cloud of some size: groups, templates, instances that run and instances that wait."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from anka_crds.api import AnkaInstance
from anka_crds.api.conditions import ConditionType
from anka_crds.api.defaults import CI_NAMESPACE
from anka_crds.resources import GROUPS, INSTANCES, TEMPLATES
from anka_crds.rules.condition_list import find
from anka_dev.bench import cluster_objects as world
from anka_dev.bench.cluster_objects import TAG, TEMPLATE
from anka_dev.bench.population import Population, group_name, template_id, template_name
from anka_dev.bench.scale.size import ScaleSize
from anka_dev.bench.watcher import Check, Watcher
from anka_kube.client import KubeClient
from anka_kube.errors import Conflict

SPARE_GROUP = "spare"
"""Of the one Mac that has room."""
_PATIENCE_SECONDS = 300.0


async def make_catalog(client: KubeClient, population: Population) -> None:
    """Groups and templates, as people and the operator make them."""
    names = [*(group_name(number) for number in range(population.groups)), SPARE_GROUP]
    await world.each(names, lambda name: client.create(GROUPS, {"metadata": {"name": name}, "spec": {}}))

    async def template(number: int) -> None:
        name = template_id(number)
        await client.create(TEMPLATES, {"metadata": {"name": name}, "spec": {}})
        versions = [{"number": 0, "tag": TAG, "arch": "arm64"}]
        status = {"name": template_name(number), "arch": "arm64", "versions": versions}
        await client.patch(TEMPLATES, name, {"status": status}, subresource="status")

    await world.each(range(population.templates), template)


def instance(**spec: Any) -> dict[str, Any]:
    return world.manifest(str(uuid.uuid4()), **{key: value for key, value in spec.items() if value})


async def start_all(client: KubeClient, size: ScaleSize, check: Check) -> list[str]:
    """Create an instance for each place, and return their names when all of them run. Raises DevError."""
    manifests = [
        instance(template=TEMPLATE, group=size.population.group_of(mac))
        for mac in range(size.macs)
        for _ in range(size.running // size.macs)
    ]
    watcher = Watcher({"started": is_started})
    async with watcher.following(client, INSTANCES, CI_NAMESPACE):
        await world.each(manifests, lambda one: client.create(INSTANCES, one, CI_NAMESPACE))
        await watcher.until("started", len(manifests), _PATIENCE_SECONDS, check)
    return [one["metadata"]["name"] for one in manifests]


async def queue_all(client: KubeClient, size: ScaleSize, check: Check) -> None:
    """Create those that wait, with the reasons that the operator gives: it writes twenty a second, and the cloud would
    not be at rest before it has told all of them."""
    population = size.population
    # Each group is among the first ones: the rest wait for the same reasons.
    kinds = population.groups
    told = await _told(client, [_waiting(population, number) for number in range(kinds)], check)

    async def one(number: int) -> None:
        made = await client.create(INSTANCES, _waiting(population, number), CI_NAMESPACE)
        metadata = {
            "name": made.metadata.name,
            "namespace": CI_NAMESPACE,
            "resourceVersion": made.metadata.resource_version,
        }
        # A conflict: the operator was quicker.
        with suppress(Conflict):
            await client.replace(
                INSTANCES, {"metadata": metadata, "status": told[number % kinds]}, subresource="status"
            )

    await world.each(range(kinds, size.waiting), one)


def _waiting(population: Population, number: int) -> dict[str, Any]:
    return instance(template=template_id(number % population.templates), group=population.group_of(number))


async def _told(client: KubeClient, manifests: list[dict[str, Any]], check: Check) -> list[dict[str, Any]]:
    """Create them; the status of each once the operator has written why it waits. Raises DevError."""
    watcher = Watcher({"told": _is_told})
    async with watcher.following(client, INSTANCES, CI_NAMESPACE):
        await world.each(manifests, lambda one: client.create(INSTANCES, one, CI_NAMESPACE))
        await watcher.until("told", len(manifests), _PATIENCE_SECONDS, check)
    statuses = []
    for manifest in manifests:
        found = await client.get(INSTANCES, manifest["metadata"]["name"], CI_NAMESPACE)
        statuses.append(found.status.to_api())
    return statuses


def is_started(raw: dict[str, Any]) -> bool:
    return bool(raw.get("status", {}).get("phase") == "Started")


def _is_told(raw: dict[str, Any]) -> bool:
    found = find(AnkaInstance.model_validate(raw).status.conditions, ConditionType.SCHEDULED)
    return found is not None and found.status == "False"
