"""/admin/api/v1/permission: groups, and what their members may do. The old API has two spellings of this path."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.failure import NOT_FOUND
from anka_shim.http.answer import Ok
from anka_shim.http.body import JsonArrayRoute
from anka_shim.http.envelope import ok, saved
from anka_shim.http.feature_dependency import FeatureDependency
from anka_shim.http.injection import SYNCED, Caches, inject
from anka_shim.http.openapi import EXAMPLES, answers
from anka_shim.http.rights import PERMISSION_PATHS
from anka_shim.permission.answer import (
    PermissionGroupListOk,
    PermissionListOk,
    PermittedResourceListOk,
    ResourceKindListOk,
    SavedOk,
    permission_answers,
    permission_group_answer,
    permitted_resource_answer,
    resource_kind_answers,
)
from anka_shim.permission.commands import PermissionCommands
from anka_shim.permission.request import Permissions, PermitResource, read_name, read_resources
from anka_shim.settings import ShimSettings

AUTHORIZATION = FeatureDependency(
    ShimSettings, lambda settings: settings.enable_authorization, "authorization is off (--enable-authorization)"
)


router = APIRouter(tags=["Permissions"], route_class=JsonArrayRoute, dependencies=[Depends(AUTHORIZATION), SYNCED])

DOCUMENTED, OTHER = PERMISSION_PATHS
ONE_GROUP = "/group/{name:path}"
NO_PERMISSION = "[0]: no such permission, see GET permission/permissions (given: 'x')"
NO_RESOURCE = "[0].id: is required, the id of a node or template"


async def find_name(
    request: Request, name: Annotated[str, Path(description="Name of a permission group; `/` in it as `%2F`.")]
) -> str:
    """The router's own `name` lacks slashes that are repeated."""
    return read_name(request.scope["raw_path"], request.scope["route"].path.rpartition("}")[2].strip("/"))


E = TypeVar("E", bound=Callable[..., Awaitable[Response]])
Commands = Annotated[PermissionCommands, inject(PermissionCommands)]
Name = Annotated[str, Depends(find_name)]
PermissionIds = Annotated[Permissions, Body(openapi_examples={"CI": {"value": ["list_vms", "start_vm"]}})]
PermittedResources = Annotated[
    list[PermitResource],
    Body(openapi_examples={"a node": {"value": EXAMPLES["PermitResource"]}}),
]


def both(method: str, path: str, **documented: Any) -> Callable[[E], E]:
    """Declares an endpoint at both spellings; one is documented."""

    def declare(endpoint: E) -> E:
        router.add_api_route(DOCUMENTED + path, endpoint, methods=[method], **documented)
        router.add_api_route(OTHER + path, endpoint, methods=[method], include_in_schema=False)
        return endpoint

    return declare


@both("GET", "/permissions", summary="List permissions", responses=answers(PermissionListOk))
async def list_permissions() -> Response:
    """All that a group can have, with the requests that each permits."""
    return ok(permission_answers())


@both("GET", "/resources/permissions", summary="List permissions of resources", responses=answers(ResourceKindListOk))
async def list_resource_permissions() -> Response:
    """All that a group can have for one node or template."""
    return ok(resource_kind_answers())


@both("GET", "/group", summary="List permission groups", responses=answers(PermissionGroupListOk))
async def list_permission_groups(caches: Caches) -> Response:
    """With their permissions."""
    return ok([permission_group_answer(group) for group in caches.effective_permission_groups()])


@both("DELETE", ONE_GROUP, summary="Delete a permission group", responses=answers(Ok, fails=NOT_FOUND))
async def delete_permission_group(name: Name, commands: Commands) -> Response:
    """Its members have nothing of it at their next request. API keys may go on naming it."""
    await commands.delete(name)
    return ok()


@both(
    "POST",
    f"{ONE_GROUP}/permissions",
    summary="Set the permissions of a group",
    responses=answers(SavedOk, fails=NO_PERMISSION),
)
async def set_permissions(name: Name, body: PermissionIds, commands: Commands) -> Response:
    """In place of those before. Makes the group if there is none."""
    await commands.set_permissions(name, body)
    return saved()


@both(
    "GET", f"{ONE_GROUP}/resources", summary="List the resources of a group", responses=answers(PermittedResourceListOk)
)
async def list_resources(name: Name, caches: Caches) -> Response:
    """An empty array if there is no such group."""
    group = caches.permission_group(name)
    return ok([permitted_resource_answer(one) for one in group.spec.resources] if group is not None else [])


@both(
    "POST",
    f"{ONE_GROUP}/resources",
    summary="Set the resources of a group",
    responses=answers(SavedOk, fails=NO_RESOURCE),
)
async def set_resources(name: Name, body: PermittedResources, commands: Commands) -> Response:
    """In place of all of the types that are given; of all, for an empty array. Makes the group if there is none."""
    await commands.set_resources(name, read_resources(body))
    return saved()
