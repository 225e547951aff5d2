"""/api/v1/group: groups of nodes; /api/v1/node/group: which nodes are in them."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from anka_shim.failure import NOT_FOUND
from anka_shim.group.answer import GroupListOk, GroupOk, group_answer
from anka_shim.group.commands import GroupCommands
from anka_shim.group.request import CreateGroup, DeleteGroup, NodesOfGroups, UpdateGroup
from anka_shim.http.body import JsonRoute
from anka_shim.http.envelope import ok
from anka_shim.http.injection import SYNCED, Caches, inject
from anka_shim.http.openapi import answers
from anka_shim.http.request import require_id

router = APIRouter(tags=["Groups"], route_class=JsonRoute, dependencies=[SYNCED])

PATH = "/api/v1/group"
MEMBERS = "/api/v1/node/group"
WHICH = "the id of a group"
NO_NODE = "node_ids: no such node (given: 'x')"

Commands = Annotated[GroupCommands, inject(GroupCommands)]
Id = Annotated[str | None, Query(description="Id of a group.")]


@router.post(
    PATH, summary="Create a group", responses=answers(GroupOk, fails="name: is required, the name of the group")
)
async def create_group(body: CreateGroup, commands: Commands) -> Response:
    """Answers with the new group."""
    made = await commands.create(body)
    return ok(group_answer(made.metadata.name, made))


@router.get(PATH, summary="List groups", responses=answers(GroupListOk))
async def list_groups(caches: Caches, commands: Commands) -> Response:
    """All groups, in no particular order."""
    return ok([group_answer(group.metadata.name, group, caches) for group in commands.visible()])


@router.put(PATH, summary="Update a group", responses=answers(fails=NOT_FOUND))
async def update_group(
    body: Annotated[UpdateGroup, Body(default_factory=UpdateGroup)], commands: Commands, id: Id = None
) -> Response:
    """Only what is given changes."""
    await commands.update(require_id((id, body.id), WHICH), body)
    return ok()


@router.delete(PATH, summary="Delete a group", responses=answers(fails=NOT_FOUND))
async def delete_group(
    body: Annotated[DeleteGroup, Body(default_factory=DeleteGroup)], commands: Commands, id: Id = None
) -> Response:
    """Its nodes stay, but leave it; groups that fall back to it lose their fallback."""
    await commands.delete(require_id((id, body.id), WHICH))
    return ok()


@router.post(MEMBERS, summary="Add nodes to groups", responses=answers(fails=NO_NODE))
async def add_nodes(body: NodesOfGroups, commands: Commands) -> Response:
    """Adds every node to every group; one that is already in a group stays in it."""
    await commands.join(body)
    return ok()


@router.delete(MEMBERS, summary="Remove nodes from groups", responses=answers(fails=NO_NODE))
async def remove_nodes(body: NodesOfGroups, commands: Commands) -> Response:
    """Removes every node from every group; one that is not in a group is no failure."""
    await commands.leave(body)
    return ok()
