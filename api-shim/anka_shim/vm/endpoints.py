"""/api/v1/vm: start, list, update and terminate instances; /api/v1/rpc/vm/restart: restart the VM of one."""

from typing import Annotated

from fastapi import APIRouter, Body, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from anka_crds.api.states import Phase
from anka_shim.failure import NOT_FOUND, require_found
from anka_shim.http.authentication import name_client
from anka_shim.http.body import JsonRoute
from anka_shim.http.envelope import ok, ok_encoded
from anka_shim.http.injection import SYNCED, HiddenId, inject
from anka_shim.http.notes import note
from anka_shim.http.openapi import answers
from anka_shim.http.request import require_id
from anka_shim.vm.answer import OneVmOk, StartedOk, VmListOk
from anka_shim.vm.commands import InstanceCommands
from anka_shim.vm.idempotency_key import HEADER, MAX_KEY
from anka_shim.vm.request import RestartOptions, RestartVm, StartVm, TerminateVm, UpdateVm, not_restartable
from anka_shim.vm.views import InstanceViews

router = APIRouter(tags=["VM instances"], route_class=JsonRoute, dependencies=[SYNCED])

PATH = "/api/v1/vm"
WHICH = "the id of an instance"

Commands = Annotated[InstanceCommands, inject(InstanceCommands)]
Views = Annotated[InstanceViews, inject(InstanceViews)]
Update = Annotated[UpdateVm, Body(default_factory=UpdateVm)]
Terminate = Annotated[TerminateVm, Body(default_factory=TerminateVm)]
Id = Annotated[str | None, Query(description="Id of an instance.")]
Key = Annotated[
    str | None,
    Header(
        alias=HEADER,
        description="Any text of the client's own. A repeat with the same key gives the same ids and starts nothing.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_KEY},
    ),
]


@router.post(PATH, summary="Start VM instances", responses=answers(StartedOk, fails="No such tag nightly"))
async def start_vms(request: Request, body: StartVm, commands: Commands, idempotency_key: Key = None) -> Response:
    """All of `count` are started, or none. Answers at once: the instances are in state Scheduling."""
    note(request.scope, external_id=body.external_id)
    ids = await commands.start(body, idempotency_key, name_client(request.scope))
    note(request.scope, instance_id=" ".join(ids))
    return ok(ids)


@router.get(PATH, summary="List VM instances, or show one", responses=answers(VmListOk, OneVmOk, fails=NOT_FOUND))
async def list_vms(views: Views, id: Id = None) -> Response:
    """Without `id`, the list of all; with it, the `vm` object of that instance alone."""
    return ok_encoded(require_found(views.one(id)) if id else views.all())


@router.put(PATH, summary="Update an instance", responses=answers(fails=NOT_FOUND))
async def update_vm(body: Update, commands: Commands, id: Id = None, instance_id: HiddenId = None) -> Response:
    """Only what is given changes; metadata keys are added to those that are there."""
    await commands.update(require_id((id, body.id, body.instance_id, instance_id), WHICH), body)
    return ok()


@router.delete(PATH, summary="Terminate an instance", responses=answers(fails=NOT_FOUND))
async def terminate_vm(
    request: Request, body: Terminate, commands: Commands, id: Id = None, instance_id: HiddenId = None
) -> Response:
    """OK also for an instance that is already terminating, or ended less than a minute ago."""
    id_ = require_id((id, body.id, body.instance_id, instance_id), WHICH)
    note(request.scope, instance_id=id_, external_id=commands.external_id(id_))
    await commands.terminate(id_)
    return ok()


@router.post(
    "/api/v1/rpc/vm/restart", summary="Restart an instance", responses=answers(fails=not_restartable(Phase.SCHEDULING))
)
async def restart_vm(
    body: Annotated[RestartVm, Body(default_factory=RestartVm)],
    query: Annotated[RestartOptions, Query(include_in_schema=False)],
    commands: Commands,
    id: Id = None,
    instance_id: HiddenId = None,
) -> Response:
    """Answers at once. It is done when `vminfo.start_date` has changed."""
    options = body.model_copy(update=query.model_dump(exclude=body.model_fields_set, exclude_none=True))
    await commands.restart(require_id((id, body.id, body.instance_id, instance_id), WHICH), options)
    return ok()
