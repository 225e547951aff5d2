"""/api/v1/registry/vm/distribute and /remove: copy templates to Macs, and remove them."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from pydantic import AfterValidator
from starlette.responses import Response

from anka_crds.api import TemplateDistribution
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.distribution.answer import (
    DistributionAnswer,
    DistributionListOk,
    DistributionOk,
    RemovalAnswer,
    RemovalOk,
    RequestedOk,
    RequestIdAnswer,
    distribution_answer,
)
from anka_shim.distribution.commands import DistributionCommands
from anka_shim.distribution.request import CancelDistribution, DistributeTemplate, RemoveFromNodes
from anka_shim.failure import NOT_FOUND, Failure
from anka_shim.http.body import JsonRoute
from anka_shim.http.envelope import ok
from anka_shim.http.injection import SYNCED, Caches, HiddenId, inject
from anka_shim.http.openapi import answers
from anka_shim.http.parameter_types import Texts
from anka_shim.http.request import require_id
from anka_shim.http.target import check_target
from anka_shim.store.caches import Stores
from anka_shim.template.endpoints import TAG
from anka_shim.template.endpoints import WHICH as WHICH_TEMPLATE

router = APIRouter(tags=[TAG], route_class=JsonRoute, dependencies=[SYNCED])

PATH = "/api/v1/registry/vm/distribute"
WHICH = "the id of a distribution request"


def _split(words: list[str]) -> list[str]:
    """Repeated query parameters, each of which may have several comma-separated words."""
    return [word for text in words for word in text.split(",") if word]


Commands = Annotated[DistributionCommands, inject(DistributionCommands)]
Rights = Annotated[ResourceRights, inject(ResourceRights)]
Id = Annotated[str | None, Query(description="Id of a distribution request.")]
TemplateId = Annotated[str | None, Query(description="Id of a template.")]
NodeIds = Annotated[
    Texts, AfterValidator(_split), Query(default_factory=list, description="Ids of nodes, if not in the body.")
]


@router.post(
    PATH,
    summary="Distribute a template",
    responses=answers(RequestedOk, fails="No such tag nightly"),
    dependencies=[check_target("node_ids", "group_id", otherwise="all nodes")],
)
async def distribute(body: DistributeTemplate, commands: Commands) -> Response:
    """To all nodes, some, or those of a group. Answers at once; the nodes pull afterwards."""
    return ok(RequestIdAnswer.model_construct(request_id=await commands.distribute(body)))


@router.get(
    PATH,
    summary="List distributions, or show one",
    responses=answers(DistributionListOk, DistributionOk, fails=NOT_FOUND),
)
async def list_distributions(caches: Caches, rights: Rights, id: Id = None) -> Response:
    """Without `id`, the list of all; with it, that one. Each is shown for a day after its end."""
    if not id:
        return ok([_answer(one, caches, rights) for one in caches.distributions if _is_shown(one, rights)])
    found = caches.distributions.get(id)
    if found is None or not _is_shown(found, rights):
        raise Failure(NOT_FOUND)
    return ok(_answer(found, caches, rights))


def _is_shown(distribution: TemplateDistribution, rights: ResourceRights) -> bool:
    return distribution.spec.action == "Pull" and rights.owns(distribution.spec.permission_group)


def _answer(distribution: TemplateDistribution, caches: Stores, rights: ResourceRights) -> DistributionAnswer:
    permissions = rights.permissions_of(distribution.spec.permission_group)
    return distribution_answer(distribution, caches.nodes, caches.groups, caches, permissions)


@router.delete(PATH, summary="Cancel a distribution", responses=answers(fails=NOT_FOUND))
async def cancel_distribution(
    body: Annotated[CancelDistribution, Body(default_factory=CancelDistribution)],
    commands: Commands,
    id: Id = None,
    request_id: HiddenId = None,
) -> Response:
    """Pulls in progress end, unless an instance also needs them. OK also for a request that is over."""
    await commands.cancel(require_id((id, body.id, body.request_id, request_id), WHICH))
    return ok()


@router.delete(
    "/api/v1/registry/vm/remove",
    summary="Remove a template from nodes",
    responses=answers(RemovalOk, fails=NOT_FOUND),
    dependencies=[check_target("node_ids", otherwise="every node that holds the template", strict=True)],
)
async def remove_from_nodes(
    body: Annotated[RemoveFromNodes, Body(default_factory=RemoveFromNodes)],
    node_ids: NodeIds,
    commands: Commands,
    id: TemplateId = None,
    template_id: HiddenId = None,
) -> Response:
    """With all its tags; the registry keeps it, and running VMs continue. OK with 0 if no node holds it."""
    id_ = require_id((id, body.id, body.template_id, template_id), WHICH_TEMPLATE)
    asked = await commands.remove(id_, node_ids or body.node_ids)
    return ok(RemovalAnswer.model_construct(requests_sent=len(asked), node_ids=asked))
