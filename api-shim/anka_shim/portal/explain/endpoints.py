"""/portal/v1/explain."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from anka_crds.api import AnkaInstance
from anka_crds.api.meta import ObjectMeta
from anka_crds.api.permissions import NodePermission
from anka_scheduler.shape import is_pending
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.failure import Failure, require_found
from anka_shim.http.authentication import require_right
from anka_shim.http.envelope import ok
from anka_shim.http.injection import SYNCED, Caches, inject
from anka_shim.http.rights import Right
from anka_shim.portal.explain.answer import explanation_answer
from anka_shim.portal.explain.explainer import Explainer
from anka_shim.portal.explain.request import ExplainQuery, read_query
from anka_shim.portal.feature import PORTAL
from anka_shim.portal.visibility import sender_visibility
from anka_shim.settings import ShimSettings
from anka_shim.vm.request import StartOptions, resolve

router = APIRouter(prefix="/portal/v1", dependencies=[Depends(PORTAL), SYNCED], include_in_schema=False)

Settings = Annotated[ShimSettings, inject(ShimSettings)]


@router.get("/explain")
async def explain(
    request: Request,
    query: Annotated[ExplainQuery, Query()],
    caches: Caches,
    explainer: Annotated[Explainer, inject(Explainer)],
    settings: Settings,
    rights: Annotated[ResourceRights, inject(ResourceRights)],
) -> Response:
    """It names nodes, and instances are ahead of it: it needs the rights to list both."""
    if query.id is not None:
        instance = require_found(rights.instance(query.id))
        if not is_pending(instance):
            raise Failure(f"id: the instance does not wait: it is {instance.status.phase}")
    else:
        instance = _make_instance(read_query(query), rights, settings)
    await require_right(request.scope, Right.LIST_NODES)
    explanation = await explainer.explain(instance)

    def name_of(node: str) -> str:
        found = caches.node(node)
        return node if found is None or not found.spec.display_name else found.spec.display_name

    visibility = sender_visibility(rights, caches)
    return ok(explanation_answer(explanation, name_of, lambda node: visibility.shows("nodes", node)))


def _make_instance(start: StartOptions, rights: ResourceRights, settings: ShimSettings) -> AnkaInstance:
    """As `POST /api/v1/vm` would make it. Raises Failure as that does."""
    owner = rights.require_owner(start.spec.permission_group, start.group)
    spec = resolve(start, rights.catalog())
    nodes = () if spec.node is None else (spec.node,)
    rights.require_for(owner, spec.template, NodePermission.CREATE_INSTANCE, nodes)
    return AnkaInstance(metadata=ObjectMeta(name="explained", namespace=settings.namespace), spec=spec)
