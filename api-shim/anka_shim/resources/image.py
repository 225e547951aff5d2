"""/api/v1/image: save running instances to the registry."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from anka_crds.api import SaveImage
from anka_crds.api.phase import Phase
from anka_shim.rest import body
from anka_shim.rest.envelope import ok
from anka_shim.rest.openapi import described
from anka_shim.schema.image import ImageAsked, ImageList, OneImage, SaveVm
from anka_shim.services import Services
from anka_shim.translate import image
from anka_shim.translate.failure import NOT_FOUND, Failure

TAG = "Images"
PATH = "/api/v1/image"

ID = {"name": "id", "in": "query", "schema": {"type": "string"}, "description": "Id of a request."}


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""
    stores, registry = services.stores, services.settings.registry_url or ""

    def shown(save: SaveImage) -> dict[str, Any]:
        instance = stores.instances.get(save.spec.instance, save.metadata.namespace)
        return image.image_answer(save, instance, registry)

    @app.post(PATH, **described(TAG, "Save an instance to the registry", takes=SaveVm, gives=ImageAsked))
    async def save_vm(request: Request) -> Response:
        """As a tag of a template, or as a new template. Answers at once; the outcome is in GET. The instance is gone
        when it is done, and runs on when it failed."""
        data = await body.read(request)
        services.require_synced()
        id_ = body.id_of(request, data, "the id of an instance")
        wanted = image.read(data)
        instance = stores.instance(id_)
        if instance is None:
            gone = services.instance_views.tombstone(id_)
            raise Failure(image.not_saveable(Phase.TERMINATED) if gone else NOT_FOUND)
        return ok({"request_id": await services.saves.save(instance, wanted)})

    @app.get(PATH, **described(TAG, "List requests to save, or show one", gives=ImageList | OneImage, parameters=[ID]))
    async def list_images(request: Request) -> Response:
        """Without `id`, the list of all, oldest first."""
        services.require_synced()
        id_ = request.query_params.get("id")
        if not id_:
            return ok([shown(save) for save in stores.all_saves()])
        found = stores.save(id_)
        if found is None:
            raise Failure(NOT_FOUND)
        return ok(shown(found))
