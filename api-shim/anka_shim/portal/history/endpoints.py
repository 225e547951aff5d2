"""/portal/v1/history, /portal/v1/timeline, /portal/v1/nodes/history."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from anka_shim.access.resource_rights import ResourceRights
from anka_shim.failure import require_found
from anka_shim.http.authentication import require_right
from anka_shim.http.envelope import ok
from anka_shim.http.injection import SYNCED, Caches, inject
from anka_shim.http.rights import Right
from anka_shim.portal.feature import PORTAL
from anka_shim.portal.history.answer import past_instances, timeline_answer
from anka_shim.portal.history.recorder import HistoryRecorder
from anka_shim.portal.history.request import HistoryQuery
from anka_shim.portal.history.samples import STEP_SECONDS
from anka_shim.portal.history.starts import HOUR_SECONDS
from anka_shim.portal.history.timeline import list_steps
from anka_shim.portal.visibility import sender_visibility
from anka_shim.times import rfc3339

router = APIRouter(prefix="/portal/v1", dependencies=[Depends(PORTAL), SYNCED], include_in_schema=False)

Rights = Annotated[ResourceRights, inject(ResourceRights)]
History = Annotated[HistoryRecorder, inject(HistoryRecorder)]


@router.get("/history")
async def history(recorder: History, rights: Rights, caches: Caches) -> Response:
    """Of the last hour, as this replica has seen it: of all instances, whoever asks, but by template only of those that
    they see."""
    visibility = sender_visibility(rights, caches)
    now = recorder.now().timestamp()
    starts = recorder.starts
    return ok(
        {
            "since": rfc3339(recorder.since),
            "step": STEP_SECONDS,
            "series": recorder.samples.to_series(),
            "failures": recorder.failures.count_reasons(now - HOUR_SECONDS),
            "startSeconds": starts.summarize_starts(now, lambda id_: visibility.shows("templates", id_)),
            "waitSeconds": starts.summarize_waits(now),
            "pullHits": starts.count_pulls(now),
        }
    )


@router.get("/timeline")
async def timeline(query: Annotated[HistoryQuery, Query()], recorder: History, rights: Rights) -> Response:
    instance = require_found(rights.instance(query.id))
    resolved = instance.status.template
    now = recorder.now()
    medians, count = recorder.starts.find_medians(
        resolved.id if resolved is not None else instance.spec.template, now.timestamp()
    )
    steps = list_steps(instance, recorder.pull_of(instance))
    return ok(timeline_answer(steps, medians, count, recorder.since, now))


@router.get("/nodes/history")
async def node_history(
    request: Request, query: Annotated[HistoryQuery, Query()], recorder: History, caches: Caches, rights: Rights
) -> Response:
    """Its latest instances, and its usage of the last hour: time, VMs, percent of CPU and of RAM."""
    await require_right(request.scope, Right.LIST_VMS)
    is_shown = sender_visibility(rights, caches).shows("nodes", query.id)
    node = require_found(caches.node(query.id) if is_shown else None).metadata.name
    shown = [one for one in recorder.instances.of_node(node) if rights.owns(one.owner)]
    return ok(
        {
            "since": rfc3339(recorder.since),
            "instances": past_instances(shown),
            "usage": recorder.usages.of_node(node),
        }
    )
