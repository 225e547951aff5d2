"""/api/v1/vm: start, list, update and terminate instances."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.rest import body
from anka_shim.rest.envelope import encoded, ok
from anka_shim.rest.openapi import described
from anka_shim.schema.envelope import Done
from anka_shim.schema.start import Started, StartVm
from anka_shim.schema.vm import OneVm, TerminateVm, UpdateVm, VmList
from anka_shim.services import Services
from anka_shim.translate import start, update
from anka_shim.translate.failure import NOT_FOUND, Failure
from anka_shim.translate.once import HEADER, once
from anka_shim.translate.resolve import resolved

TAG = "VM instances"
PATH = "/api/v1/vm"

KEY = {
    "name": HEADER,
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Any text of the client's own. A repeat with the same key gives the same ids and starts nothing.",
}
ID = {"name": "id", "in": "query", "schema": {"type": "string"}, "description": "Id of an instance."}


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""

    @app.post(
        PATH,
        **described(
            TAG, "Start VM instances", takes=StartVm, gives=Started, parameters=[KEY], fails="No such tag nightly"
        ),
    )
    async def start_vms(request: Request) -> Response:
        """All of `count` are started, or none. Answers at once: the instances are in state Scheduling."""
        data = await body.read(request)
        services.require_synced()
        wanted = start.read(data, max_count=services.settings.max_count)
        spec = resolved(wanted, services.stores)
        repeat = once(
            request.headers.get(HEADER),
            wanted,
            namespace=services.settings.namespace,
            external_id_seconds=services.settings.dedupe_external_id_seconds,
        )
        return ok(await services.commands.start(spec, wanted.count, repeat))

    @app.get(
        PATH, **described(TAG, "List VM instances, or show one", gives=VmList | OneVm, parameters=[ID], fails=NOT_FOUND)
    )
    async def list_vms(request: Request) -> Response:
        """Without `id`, the list of all; with it, the `vm` object of that instance alone."""
        services.require_synced()
        id_ = request.query_params.get("id")
        if not id_:
            return encoded(services.instance_views.all())
        found = services.instance_views.one(id_)
        if found is None:
            raise Failure(NOT_FOUND)
        return encoded(found)

    @app.put(PATH, **described(TAG, "Update an instance", takes=UpdateVm, gives=Done, parameters=[ID], fails=NOT_FOUND))
    async def update_vm(request: Request) -> Response:
        """Only what is given changes; metadata keys are added to those that are there."""
        data = await body.read(request)
        services.require_synced()
        id_ = body.id_of(request, data, "the id of an instance")
        changes = update.read(data)
        instance = services.stores.instance(id_)
        if instance is None:
            raise Failure(NOT_FOUND)
        await services.commands.update(instance, changes)
        return ok()

    @app.delete(
        PATH, **described(TAG, "Terminate an instance", takes=TerminateVm, gives=Done, parameters=[ID], fails=NOT_FOUND)
    )
    async def terminate_vm(request: Request) -> Response:
        """OK also for an instance that is terminating already, or is gone since less than a minute."""
        data = await body.read(request)
        services.require_synced()
        id_ = body.id_of(request, data, "the id of an instance")
        instance = services.stores.instance(id_)
        if instance is not None:
            await services.commands.terminate(instance)
        elif services.instance_views.tombstone(id_) is None:
            await services.commands.terminate_unseen(id_)
        return ok()
