"""/api/v1/registry/vm/distribute and /remove: templates come to Macs, and go."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.resources.template import TAG
from anka_shim.resources.template import WHICH as TEMPLATE
from anka_shim.rest import body
from anka_shim.rest.envelope import ok
from anka_shim.rest.openapi import described
from anka_shim.schema.distribution import (
    Distribute,
    DistributionList,
    OneDistribution,
    RemovalAnswer,
    RemoveFromNodes,
    RequestAnswer,
)
from anka_shim.schema.envelope import Done
from anka_shim.services import Services
from anka_shim.translate import distribution
from anka_shim.translate.failure import NOT_FOUND, Failure

PATH = "/api/v1/registry/vm/distribute"

ID = {"name": "id", "in": "query", "schema": {"type": "string"}, "description": "Id of a distribution request."}
TEMPLATE_ID = {"name": "id", "in": "query", "schema": {"type": "string"}, "description": "Id of a template."}
NODE_IDS = {
    "name": "node_ids",
    "in": "query",
    "schema": {"type": "array", "items": {"type": "string"}},
    "description": "Ids of nodes, if not in the body.",
}


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""

    @app.post(
        PATH,
        **described(TAG, "Distribute a template", takes=Distribute, gives=RequestAnswer, fails="No such tag nightly"),
    )
    async def distribute(request: Request) -> Response:
        """To all nodes, some, or those of a group. Answers at once; the nodes pull in their own time."""
        data = await body.read(request)
        services.require_synced()
        spec = distribution.read(data, services.stores)
        made = await services.distributions.create(spec, what="distribute the template")
        return ok({"request_id": made.metadata.name})

    @app.get(
        PATH,
        **described(
            TAG,
            "List distributions, or show one",
            gives=DistributionList | OneDistribution,
            parameters=[ID],
            fails=NOT_FOUND,
        ),
    )
    async def list_distributions(request: Request) -> Response:
        """Without `id`, the list of all; with it, that one. Each is shown for a day after its end."""
        services.require_synced()
        stores, id_ = services.stores, request.query_params.get("id")
        if not id_:
            shown = [one for one in stores.distributions if one.spec.action == "Pull"]
            return ok([distribution.distribution_answer(one, stores.nodes) for one in shown])
        found = stores.distributions.get(id_)
        if found is None or found.spec.action != "Pull":
            raise Failure(NOT_FOUND)
        return ok(distribution.distribution_answer(found, stores.nodes))

    @app.delete(PATH, **described(TAG, "Cancel a distribution", gives=Done, parameters=[ID], fails=NOT_FOUND))
    async def cancel_distribution(request: Request) -> Response:
        """Pulls that are under way end, unless an instance needs them too. OK also for one that is over."""
        data = await body.read(request)
        services.require_synced()
        id_ = body.id_of(request, data, "the id of a distribution request", also="request_id")
        await services.distributions.cancel(id_)
        return ok()

    @app.delete(
        "/api/v1/registry/vm/remove",
        **described(
            TAG,
            "Remove a template from nodes",
            takes=RemoveFromNodes,
            fails=NOT_FOUND,
            gives=RemovalAnswer,
            parameters=[TEMPLATE_ID, NODE_IDS],
        ),
    )
    async def remove_from_nodes(request: Request) -> Response:
        """With all its tags; the registry keeps it, and VMs that run go on. OK with 0 when no node holds it."""
        data = await body.read(request)
        services.require_synced()
        id_ = body.id_of(request, data, TEMPLATE, also="template_id")
        spec = distribution.read_removal(id_, _with_query(request, data), services.stores, services.stores.nodes)
        if spec is not None:
            await services.distributions.create(spec, what="remove the template from nodes")
        return ok(distribution.removal_answer(spec.nodes if spec is not None else []))


def _with_query(request: Request, data: dict[str, Any]) -> dict[str, Any]:
    """`node_ids` may be in the query: repeated, or separated by commas."""
    given = [word for text in request.query_params.getlist("node_ids") for word in text.split(",") if word]
    return {**data, "node_ids": given} if given else data
