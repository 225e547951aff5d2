"""/api/v1/node: the Macs; /api/v1/node/config and /update: their configuration and their agents."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from anka_shim.failure import NOT_FOUND, require_found
from anka_shim.http.body import JsonRoute
from anka_shim.http.envelope import ok, ok_encoded
from anka_shim.http.injection import SYNCED, HiddenId, inject
from anka_shim.http.openapi import answers
from anka_shim.http.request import require_id
from anka_shim.http.target import check_target
from anka_shim.node.answer import NodeListOk
from anka_shim.node.commands import NodeCommands
from anka_shim.node.heartbeats import NodeHeartbeats
from anka_shim.node.request import ConfigureNode, DeleteNode, UpdateAgents
from anka_shim.node.views import NodeViews

router = APIRouter(tags=["Nodes"], route_class=JsonRoute, dependencies=[SYNCED])

PATH = "/api/v1/node"
WHICH = "the id of a node"

Commands = Annotated[NodeCommands, inject(NodeCommands)]
Views = Annotated[NodeViews, inject(NodeViews)]
Heartbeats = Annotated[NodeHeartbeats, inject(NodeHeartbeats)]


@router.get(PATH, summary="List nodes", responses=answers(NodeListOk, fails=NOT_FOUND))
async def list_nodes(
    views: Views, heartbeats: Heartbeats, id: Annotated[str | None, Query(description="Id of a node.")] = None
) -> Response:
    """Without `id`, all; with it, an array of that one."""
    await heartbeats.refresh()
    return ok_encoded(require_found(views.one(id)) if id else views.all())


@router.post(f"{PATH}/config", summary="Configure a node", responses=answers(fails=NOT_FOUND))
async def configure_node(
    body: ConfigureNode, commands: Commands, node_id: HiddenId = None, id: HiddenId = None
) -> Response:
    """Only what is given changes. The Mac's agent follows within seconds."""
    id_ = require_id((body.node_id, body.id, node_id, id), WHICH, parameter="node_id")
    await commands.configure(id_, body)
    return ok()


@router.put(
    f"{PATH}/update",
    summary="Update the agents",
    responses=answers(fails="node_ids: no such node (given: 'x')"),
    dependencies=[check_target("node_ids", otherwise="all nodes")],
)
async def update_agents(
    body: Annotated[UpdateAgents, Body(default_factory=UpdateAgents)], commands: Commands
) -> Response:
    """Asks every node for the agent of this shim's version; with `node_ids` these alone.

    They follow a few at a time. If --pkg-dir has the package, they take no other: its checksum goes with it."""
    await commands.update_agents(body)
    return ok()


@router.delete(PATH, summary="Delete a node", responses=answers(fails=NOT_FOUND))
async def delete_node(body: DeleteNode, commands: Commands, node_id: HiddenId = None, id: HiddenId = None) -> Response:
    """For a Mac that no longer exists. Its instances go to Error, or to another Mac if their spec says so."""
    await commands.delete(require_id((body.node_id, body.id, node_id, id), WHICH, parameter="node_id"))
    return ok()
