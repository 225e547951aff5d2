"""/api/v1/node: the Macs."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.rest.envelope import encoded
from anka_shim.rest.openapi import described
from anka_shim.schema.node import NodeList
from anka_shim.services import Services
from anka_shim.translate.failure import NOT_FOUND, Failure

TAG = "Nodes"
PATH = "/api/v1/node"

ID = {"name": "id", "in": "query", "schema": {"type": "string"}, "description": "Id of a node."}


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""

    @app.get(PATH, **described(TAG, "List nodes", gives=NodeList, parameters=[ID]))
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
