"""/api/v1/apikey: keys with which machines log in."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query
from starlette.responses import Response

from anka_shim.api_key.answer import ApiKeyListOk, PrivateKeyOk, api_key_answer
from anka_shim.api_key.commands import ApiKeyCommands
from anka_shim.api_key.request import CreateApiKey, DeleteApiKey, UpdateApiKey, pick_groups, pick_id, pick_ttl
from anka_shim.failure import NOT_FOUND, require_found
from anka_shim.http.answer import Ok
from anka_shim.http.body import JsonRoute
from anka_shim.http.envelope import ok
from anka_shim.http.feature_dependency import FeatureDependency
from anka_shim.http.injection import SYNCED, Caches, inject
from anka_shim.http.openapi import answers
from anka_shim.settings import ShimSettings

API_KEYS = FeatureDependency(
    ShimSettings, lambda settings: settings.enable_api_keys, "API keys are off (--enable-api-keys)"
)


router = APIRouter(tags=["API keys"], route_class=JsonRoute, dependencies=[Depends(API_KEYS), SYNCED])

PATH = "/api/v1/apikey"
TAKEN = "id: there is an API key called so already (given: 'x')"

Commands = Annotated[ApiKeyCommands, inject(ApiKeyCommands)]
Id = Annotated[str | None, Query(description="Id of an API key.")]


@router.get(PATH, summary="List API keys", responses=answers(ApiKeyListOk, fails=NOT_FOUND))
async def list_api_keys(caches: Caches, id: Id = None) -> Response:
    """All, or an array of the one with this id."""
    if id:
        return ok([api_key_answer(require_found(caches.api_key(id)))])
    return ok([api_key_answer(key) for key in caches.api_keys])


@router.post(PATH, summary="Create an API key", responses=answers(PrivateKeyOk, Ok, fails=TAKEN))
async def create_api_key(
    body: Annotated[CreateApiKey, Body(default_factory=CreateApiKey)],
    query: Annotated[CreateApiKey, Query()],
    commands: Commands,
) -> Response:
    """Answers with the private key, once; without a body if a publicKey was given."""
    id_ = pick_id(body.id, query.id)
    ttl, groups = pick_ttl(body.ttl, query.ttl), pick_groups(body.groups, query.groups)
    return ok(await commands.create(id_, groups, ttl, body.publicKey or query.publicKey))


@router.put(PATH, summary="Update an API key", responses=answers(fails=NOT_FOUND))
async def update_api_key(
    body: Annotated[UpdateApiKey, Body(default_factory=UpdateApiKey)],
    query: Annotated[UpdateApiKey, Query()],
    commands: Commands,
) -> Response:
    """Its sessions have the new groups at their next request."""
    ttl = query.ttl if body.ttl is None else body.ttl
    await commands.update(pick_id(body.id, query.id), pick_groups(body.groups, query.groups), ttl)
    return ok()


@router.delete(PATH, summary="Delete an API key", responses=answers(fails=NOT_FOUND))
async def delete_api_key(
    body: Annotated[DeleteApiKey, Body(default_factory=DeleteApiKey)], commands: Commands, id: Id = None
) -> Response:
    """Its sessions end with it."""
    await commands.delete(pick_id(body.id, id))
    return ok()
