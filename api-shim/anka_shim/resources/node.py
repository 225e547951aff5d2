"""/api/v1/node: the Macs; /api/v1/node/config: their configuration."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.resources.package import checksum_of
from anka_shim.rest import body
from anka_shim.rest.envelope import encoded, ok
from anka_shim.rest.openapi import described
from anka_shim.schema.envelope import Done
from anka_shim.schema.node import ConfigureNode, DeleteNode, NodeList, UpdateAgents
from anka_shim.services import Services
from anka_shim.translate import node_config, values
from anka_shim.translate.failure import NOT_FOUND, Failure
from anka_shim.translate.resolve import node_of

TAG = "Nodes"
PATH = "/api/v1/node"
CONFIG = "/api/v1/node/config"

ID = {"name": "id", "in": "query", "schema": {"type": "string"}, "description": "Id of a node."}


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""

    @app.get(PATH, **described(TAG, "List nodes", gives=NodeList, parameters=[ID], fails=NOT_FOUND))
    async def list_nodes(request: Request) -> Response:
        """Without `id`, all; with it, an array of that one."""
        services.require_synced()
        id_ = request.query_params.get("id")
        if not id_:
            return encoded(services.node_views.all())
        found = services.node_views.one(id_)
        if found is None:
            raise Failure(NOT_FOUND)
        return encoded(found)

    @app.post(CONFIG, **described(TAG, "Configure a node", takes=ConfigureNode, gives=Done, fails=NOT_FOUND))
    async def configure_node(request: Request) -> Response:
        """Only what is given changes. The Mac's agent obeys within seconds."""
        data = await body.read(request)
        services.require_synced()
        await services.nodes.configure(_id(request, data), node_config.read(data))
        return ok()

    @app.put(
        "/api/v1/node/update",
        **described(
            TAG, "Update the agents", takes=UpdateAgents, gives=Done, fails="node_ids: no such node (given: 'x')"
        ),
    )
    async def update_agents(request: Request) -> Response:
        """Asks every node for the agent of this shim's version; with `node_ids` these alone.

        They follow a few at a time. If --pkg-dir has the package, they take no other: its checksum goes with it."""
        data = await body.read(request)
        services.require_synced()
        named = [node_of(word, services.stores, "node_ids") for word in values.texts(data, "node_ids")]
        nodes = named or services.stores.nodes
        version, directory = services.settings.agent_version, services.settings.pkg_dir
        checksum = await asyncio.to_thread(checksum_of, directory, f"anka-agent-{version}.tar.gz")
        await services.nodes.update_agents([node.metadata.name for node in nodes], version, checksum)
        return ok()

    @app.delete(PATH, **described(TAG, "Delete a node", takes=DeleteNode, gives=Done, fails=NOT_FOUND))
    async def delete_node(request: Request) -> Response:
        """For a Mac that does not exist any more. Its instances go to Error, or to another Mac if they say so."""
        data = await body.read(request)
        services.require_synced()
        await services.nodes.delete(_id(request, data))
        return ok()


def _id(request: Request, data: dict[str, Any]) -> str:
    query = request.query_params
    id_ = values.text(data, "node_id") or values.text(data, "id") or query.get("node_id") or query.get("id")
    if not id_:
        raise Failure("node_id: is required, the id of a node")
    return id_
