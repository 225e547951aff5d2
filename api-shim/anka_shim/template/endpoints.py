"""/api/v1/registry: templates and the registry's disk."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from anka_crds.api.permissions import TemplatePermission
from anka_registry.errors import RegistryError
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.catalog import target_template
from anka_shim.failure import NOT_FOUND, Failure, require_found
from anka_shim.http.body import JsonRoute
from anka_shim.http.envelope import ok, ok_encoded
from anka_shim.http.injection import SYNCED, Caches, inject
from anka_shim.http.openapi import answers
from anka_shim.http.request import require_id
from anka_shim.http.target import check_target
from anka_shim.store.registry_reader import RegistryReader
from anka_shim.store.registry_watch import NO_REGISTRY, RegistryWatch
from anka_shim.template.answer import (
    DiskAnswer,
    DiskOk,
    OneTemplateOk,
    RevertedOk,
    TemplateListOk,
    in_registry,
    name_answer,
    registry_answer,
    row_answer,
    template_answer,
)
from anka_shim.template.commands import TemplateCommands
from anka_shim.template.request import DeleteTemplate, RevertTemplate, VersionChoice, read_revert

TAG = "Templates"
PATH = "/api/v1/registry/vm"
WHICH = "the id of a template"

router = APIRouter(tags=[TAG], route_class=JsonRoute)

Commands = Annotated[TemplateCommands, inject(TemplateCommands)]
Rights = Annotated[ResourceRights, inject(ResourceRights)]
Registry = Annotated[RegistryWatch, inject(RegistryWatch)]
Reader = Annotated[RegistryReader, inject(RegistryReader)]
Id = Annotated[str | None, Query(description="Id of a template.")]
ApiVersion = Annotated[str | None, Query(alias="apiVer", description="v1: only id and name of each.")]


@router.get(
    PATH,
    summary="List templates, or show one",
    responses=answers(TemplateListOk, OneTemplateOk, fails=NOT_FOUND),
    dependencies=[SYNCED],
)
async def list_templates(
    caches: Caches, reader: Reader, rights: Rights, id: Id = None, api_version: ApiVersion = None
) -> Response:
    """Without `id`, the list of all; with it, that template and its versions, the latest last, as the registry has it
    now."""
    if not id:
        answer = name_answer if api_version == "v1" else row_answer
        sees = rights.sees_template
        return ok([answer(one) for one in caches.templates if in_registry(one) and sees(one.metadata.name)])
    id = target_template(id, rights.catalog())
    if not rights.sees_template(id):
        raise Failure(NOT_FOUND)
    found = caches.template(id)
    try:
        known = await reader.template(id, is_mirrored=found is not None)
    except RegistryError:
        if found is None or not in_registry(found):
            raise Failure(NOT_FOUND) from None
        return ok(template_answer(found))
    return ok(registry_answer(require_found(known)))


@router.delete(
    PATH,
    summary="Delete a template",
    responses=answers(fails=NOT_FOUND),
    dependencies=[SYNCED, check_target(otherwise="the template with all its versions", strict=True)],
)
async def delete_template(
    body: Annotated[DeleteTemplate, Body(default_factory=DeleteTemplate)],
    commands: Commands,
    rights: Rights,
    id: Id = None,
) -> Response:
    """From the registry, with all its versions. Running VMs and copies on Macs stay."""
    await commands.delete(_target(require_id((id, body.id), WHICH), rights))
    return ok()


@router.delete(
    "/api/v1/registry/revert",
    summary="Revert a template",
    responses=answers(RevertedOk, fails="tag and number exclude each other: give one of them"),
    dependencies=[SYNCED, check_target("tag", "number", "version", otherwise="the newest version", strict=True)],
)
async def revert_template(
    body: Annotated[RevertTemplate, Body(default_factory=RevertTemplate)],
    query: Annotated[VersionChoice, Query()],
    commands: Commands,
    rights: Rights,
    id: Id = None,
) -> Response:
    """Remove the version that is named, and all newer ones; the newest alone if none is. The body is null, where
    other requests without a result leave it out: so the old controller answers."""
    revert = read_revert(query, body)
    await commands.revert(_target(require_id((id, body.id), WHICH), rights), revert)
    return ok_encoded(b"null")


@router.get(
    "/api/v1/registry/disk",
    summary="The registry's disk",
    responses=answers(DiskOk, fails=f"the registry's disk is not known: {NO_REGISTRY}"),
)
async def disk(registry: Registry) -> Response:
    """As last read from the registry, some seconds ago."""
    found = registry.disk
    if found is None:
        raise Failure(f"the registry's disk is not known: {registry.disk_error}")
    return ok(DiskAnswer.model_construct(total=found.total, free=found.free))


def _target(word: str, rights: ResourceRights) -> str:
    """The id of the template whose versions are to go."""
    id_ = target_template(word, rights.catalog())
    rights.require_template(id_, TemplatePermission.DELETE_REVERT)
    return id_
