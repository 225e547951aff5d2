"""/api/v1/image: save running instances to the registry."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from anka_crds.api import SaveImage
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.failure import NOT_FOUND, Failure, require_found
from anka_shim.http.body import JsonRoute
from anka_shim.http.envelope import ok
from anka_shim.http.injection import SYNCED, Caches, HiddenId, inject
from anka_shim.http.openapi import answers
from anka_shim.http.request import require_id
from anka_shim.image.answer import (
    ImageAnswer,
    ImageAskedOk,
    ImageListOk,
    ImageRequestIdAnswer,
    OneImageOk,
    image_answer,
)
from anka_shim.image.commands import SaveCommands
from anka_shim.image.request import SaveVm
from anka_shim.settings import ShimSettings
from anka_shim.store.caches import Stores

router = APIRouter(tags=["Images"], route_class=JsonRoute, dependencies=[SYNCED])

PATH = "/api/v1/image"
WHICH = "the id of an instance"

Commands = Annotated[SaveCommands, inject(SaveCommands)]
Rights = Annotated[ResourceRights, inject(ResourceRights)]
Settings = Annotated[ShimSettings, inject(ShimSettings)]


@router.post(PATH, summary="Save an instance to the registry", responses=answers(ImageAskedOk, fails=NOT_FOUND))
async def save_vm(body: SaveVm, commands: Commands, id: HiddenId = None, instance_id: HiddenId = None) -> Response:
    """As a tag of a template, or as a new template. Answers at once; the outcome is in GET. The instance is deleted
    once it is saved, and runs on if that fails."""
    id_ = require_id((id, body.id, body.instance_id, instance_id), WHICH)
    return ok(ImageRequestIdAnswer.model_construct(request_id=await commands.save(id_, body)))


@router.get(
    PATH, summary="List requests to save, or show one", responses=answers(ImageListOk, OneImageOk, fails=NOT_FOUND)
)
async def list_images(
    caches: Caches,
    settings: Settings,
    rights: Rights,
    id: Annotated[str | None, Query(description="Id of a request.")] = None,
) -> Response:
    """Without `id`, the list of all, oldest first."""
    if not id:
        shown = [save for save in caches.all_saves() if rights.owns(caches.owner_of(save))]
        return ok([_answer(save, caches, settings) for save in shown])
    found = require_found(caches.save(id))
    if not rights.owns(caches.owner_of(found)):
        raise Failure(NOT_FOUND)
    return ok(_answer(found, caches, settings))


def _answer(save: SaveImage, caches: Stores, settings: ShimSettings) -> ImageAnswer:
    return image_answer(save, caches.id_of(save), caches.instance_id_of(save), settings.registry_url or "", caches)
