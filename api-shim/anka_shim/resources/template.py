"""/api/v1/registry: templates and the registry's disk."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.rest import body
from anka_shim.rest.envelope import encoded, ok
from anka_shim.rest.openapi import described
from anka_shim.schema.envelope import Done
from anka_shim.schema.template import DiskAnswer, OneTemplate, Reverted, RevertTemplate, TemplateList
from anka_shim.services import Services
from anka_shim.translate import template
from anka_shim.translate.failure import NOT_FOUND, Failure

TAG = "Templates"
PATH = "/api/v1/registry/vm"
WHICH = "the id of a template"


def _query(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "string"}, "description": description}


ID = _query("id", "Id of a template.")
API = _query("apiVer", "v1: only id and name of each.")
VERSION = [
    _query("tag", "Tag to revert to: it and all newer ones are removed."),
    _query("number", "Number of the version instead, from 0."),
    _query("version", "Another spelling of number."),
]


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""

    @app.get(
        PATH,
        **described(
            TAG, "List templates, or show one", gives=TemplateList | OneTemplate, parameters=[ID, API], fails=NOT_FOUND
        ),
    )
    async def list_templates(request: Request) -> Response:
        """Without `id`, the list of all; with it, that template and its versions, the latest last."""
        services.require_synced()
        id_ = request.query_params.get("id")
        if not id_:
            shape = template.row_v1 if request.query_params.get("apiVer") == "v1" else template.row
            return ok([shape(item) for item in services.stores.all_templates() if template.in_registry(item)])
        found = services.stores.template(id_)
        if found is None or not template.in_registry(found):
            raise Failure(NOT_FOUND)
        return ok(template.template_answer(found))

    @app.delete(PATH, **described(TAG, "Delete a template", gives=Done, parameters=[ID], fails=NOT_FOUND))
    async def delete_template(request: Request) -> Response:
        """From the registry, with all its versions. VMs that run and copies on Macs stay."""
        data = await body.read(request)
        services.require_synced()
        await services.templates.delete(body.id_of(request, data, WHICH))
        return ok()

    @app.delete(
        "/api/v1/registry/revert",
        **described(
            TAG,
            "Revert a template",
            takes=RevertTemplate,
            gives=Reverted,
            parameters=[ID, *VERSION],
            fails="tag and number exclude each other: give one of them",
        ),
    )
    async def revert_template(request: Request) -> Response:
        """Remove the version that is named, and all newer ones; the newest alone if none is. The body is null, where
        other requests that have nothing to tell leave it out: so the old controller answers."""
        data = await body.read(request)
        services.require_synced()
        wanted = template.read_revert({**data, **request.query_params})
        await services.templates.revert(body.id_of(request, data, WHICH), wanted)
        return encoded(b"null")

    @app.get(
        "/api/v1/registry/disk",
        **described(
            TAG,
            "The registry's disk",
            gives=DiskAnswer,
            fails="the registry's disk is not known: the API shim was started without --registry-url",
        ),
    )
    async def disk(_: Request) -> Response:
        """As it was when the registry was last looked at, some seconds ago."""
        seen = services.registry.disk
        if seen is None:
            raise Failure(f"the registry's disk is not known: {services.registry.disk_trouble}")
        return ok({"total": seen.total, "free": seen.free})
