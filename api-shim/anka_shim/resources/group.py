"""/api/v1/group: groups of nodes; /api/v1/node/group: which nodes are in them."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.rest import body
from anka_shim.rest.envelope import ok
from anka_shim.rest.openapi import described
from anka_shim.schema.envelope import Done
from anka_shim.schema.group import CreateGroup, GroupList, NodesOfGroups, OneGroup, UpdateGroup
from anka_shim.services import Services
from anka_shim.translate.failure import NOT_FOUND
from anka_shim.translate.group import group_answer, read, read_membership

TAG = "Groups"
PATH = "/api/v1/group"
MEMBERS = "/api/v1/node/group"

ID = {"name": "id", "in": "query", "schema": {"type": "string"}, "description": "Id of a group."}
WHICH = "the id of a group"
NO_NODE = "node_ids: no such node (given: 'x')"


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""

    @app.post(
        PATH,
        **described(
            TAG, "Create a group", takes=CreateGroup, gives=OneGroup, fails="name: is required, the name of the group"
        ),
    )
    async def create_group(request: Request) -> Response:
        """Answers with the new group."""
        data = await body.read(request)
        services.require_synced()
        made = await services.groups.create(read(data))
        return ok(group_answer(made.metadata.name, made))

    @app.get(PATH, **described(TAG, "List groups", gives=GroupList))
    async def list_groups(_: Request) -> Response:
        """All groups, in no particular order."""
        services.require_synced()
        return ok([group_answer(group.metadata.name, group) for group in services.stores.groups])

    @app.put(PATH, **described(TAG, "Update a group", takes=UpdateGroup, gives=Done, parameters=[ID], fails=NOT_FOUND))
    async def update_group(request: Request) -> Response:
        """Only what is given changes."""
        data = await body.read(request)
        services.require_synced()
        await services.groups.update(body.id_of(request, data, WHICH), read(data))
        return ok()

    @app.delete(PATH, **described(TAG, "Delete a group", gives=Done, parameters=[ID], fails=NOT_FOUND))
    async def delete_group(request: Request) -> Response:
        """Its nodes stay, and leave it; groups that fall back to it lose their fallback."""
        data = await body.read(request)
        services.require_synced()
        await services.groups.delete(body.id_of(request, data, WHICH))
        return ok()

    @app.post(MEMBERS, **described(TAG, "Add nodes to groups", takes=NodesOfGroups, gives=Done, fails=NO_NODE))
    async def add_nodes(request: Request) -> Response:
        """Every node into every group; one that is in it already stays in it."""
        data = await body.read(request)
        services.require_synced()
        await services.groups.join(read_membership(data, services.stores))
        return ok()

    @app.delete(MEMBERS, **described(TAG, "Remove nodes from groups", takes=NodesOfGroups, gives=Done, fails=NO_NODE))
    async def remove_nodes(request: Request) -> Response:
        """Every node out of every group; one that is not in it is no failure."""
        data = await body.read(request)
        services.require_synced()
        await services.groups.leave(read_membership(data, services.stores, leaving=True))
        return ok()
