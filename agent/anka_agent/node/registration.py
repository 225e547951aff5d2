"""Joining: the AnkaNode of this Mac is there, with what the flags say if it is new."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from anka_crds.api import AnkaNode
from anka_crds.kube.backoff import Backoff, Delays, system_random
from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import AlreadyExists, ApiError, NotFound
from anka_crds.kube.resource import Resource

log = logging.getLogger(__name__)


async def join(client: KubeClient, resource: Resource[AnkaNode], node: AnkaNode) -> AnkaNode:
    """The node as the API has it; made from `node` if it is not there. Waits for an API that is away."""
    delays = Delays(Backoff(base=0.5, cap=10.0), system_random)
    said = ""
    while True:
        try:
            found = await _ensure(client, resource, node)
        except ApiError as error:
            if str(error) != said:
                log.warning("cannot join: %s; trying again until it works", error)
                said = str(error)
            await asyncio.sleep(delays.next(error.retry_after))
        else:
            return found


async def _ensure(client: KubeClient, resource: Resource[AnkaNode], node: AnkaNode) -> AnkaNode:
    try:
        return await client.get(resource, node.metadata.name)
    except NotFound:
        pass
    try:
        body = {"metadata": {"name": node.metadata.name}, "spec": node.spec.to_api()}
        created = await client.create(resource, body)
    except AlreadyExists:
        return await client.get(resource, node.metadata.name)
    log.info("joined as a new node", extra={"node": node.metadata.name})
    return created


def owner_reference(node: AnkaNode) -> dict[str, Any]:
    """With this, whoever deletes the node removes its Lease as well."""
    return {
        "apiVersion": node.api_version,
        "kind": "AnkaNode",
        "name": node.metadata.name,
        "uid": node.metadata.uid,
    }
