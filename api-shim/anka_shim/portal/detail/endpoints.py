"""/portal/v1/object."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from anka_crds.api.meta import KubeObject
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.failure import Failure, require_found
from anka_shim.http.authentication import require_right
from anka_shim.http.envelope import ok
from anka_shim.http.injection import SYNCED, Caches, inject
from anka_shim.portal.detail.answer import event_answers, to_yaml, without_secrets
from anka_shim.portal.detail.event_reader import EventReader
from anka_shim.portal.detail.request import OBJECT_RIGHTS, ObjectQuery
from anka_shim.portal.feature import PORTAL
from anka_shim.portal.visibility import sender_visibility
from anka_shim.store.caches import Stores

router = APIRouter(prefix="/portal/v1", dependencies=[Depends(PORTAL), SYNCED], include_in_schema=False)


@router.get("/object")
async def show_object(
    request: Request,
    query: Annotated[ObjectQuery, Query()],
    caches: Caches,
    events: Annotated[EventReader, inject(EventReader)],
    rights: Annotated[ResourceRights, inject(ResourceRights)],
) -> Response:
    """As it is in the cache. Events that cannot be read are no reason to show nothing: `eventsProblem` says why."""
    await require_right(request.scope, OBJECT_RIGHTS[query.kind])
    is_shown = sender_visibility(rights, caches).shows(query.kind, query.id)
    found = require_found(_find(query.kind, query.id, caches) if is_shown else None)
    manifest = without_secrets(found.to_api())
    answer: dict[str, Any] = {"object": manifest, "events": []}
    # A node with hundreds of templates takes a while.
    answer["yaml"] = await asyncio.to_thread(to_yaml, manifest)
    try:
        answer["events"] = event_answers(await events.read(found.metadata.uid, found.metadata.namespace))
    except Failure as failure:
        answer["eventsProblem"] = failure.message
    return ok(answer)


def _find(kind: str, id_: str, stores: Stores) -> KubeObject | None:
    finders: dict[str, Callable[[str], KubeObject | None]] = {
        "nodes": stores.node,
        "instances": stores.instance,
        "templates": stores.template,
        "groups": stores.group,
        "distributions": stores.distributions.get,
        "saves": stores.save,
        "apiKeys": stores.api_key,
        "permissionGroups": stores.permission_group,
        "macPools": stores.pools.get,
    }
    return finders[kind](id_)
