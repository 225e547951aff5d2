"""/api/v1/rpc/vm/restart: stop and start the VM of an instance."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from anka_crds.api.phase import Phase
from anka_shim.resources.vm import ID, TAG
from anka_shim.rest import body
from anka_shim.rest.envelope import ok
from anka_shim.rest.openapi import described
from anka_shim.schema.envelope import Done
from anka_shim.schema.vm import RestartVm
from anka_shim.services import Services
from anka_shim.translate.failure import NOT_FOUND, Failure
from anka_shim.translate.instance import state
from anka_shim.translate.restart import not_restartable, restart


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""

    @app.post(
        "/api/v1/rpc/vm/restart",
        **described(
            TAG,
            "Restart an instance",
            takes=RestartVm,
            gives=Done,
            parameters=[ID],
            fails=not_restartable(Phase.SCHEDULING),
        ),
    )
    async def restart_vm(request: Request) -> Response:
        """Answers at once. It is done when `vminfo.start_date` has changed."""
        data = await body.read(request)
        services.require_synced()
        id_ = body.id_of(request, data, "the id of an instance")
        instance, tombstone = services.stores.instance(id_), services.instance_views.tombstone(id_)
        if instance is None:
            raise Failure(not_restartable(Phase.TERMINATED) if tombstone else NOT_FOUND)
        changes = restart(state(instance), services.clock.now(), {**request.query_params, **data})
        await services.commands.update(instance, changes, what="restart the VM")
        return ok()
