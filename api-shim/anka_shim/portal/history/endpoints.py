"""/portal/v1/history, /portal/v1/timeline, /portal/v1/nodes/history."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

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
from anka_shim.times import rfc3339

router = APIRouter(prefix="/portal/v1", dependencies=[Depends(PORTAL), SYNCED], include_in_schema=False)

History = Annotated[HistoryRecorder, inject(HistoryRecorder)]


@router.get("/history")
async def history(recorder: History) -> Response:
    """Of the last hour, as this replica has seen it."""
    now = recorder.now().timestamp()
    starts = recorder.starts
    return ok(
        {
            "since": rfc3339(recorder.since),
            "step": STEP_SECONDS,
            "series": recorder.samples.to_series(),
            "failures": recorder.failures.count_reasons(now - HOUR_SECONDS),
            "startSeconds": starts.summarize_starts(now),
            "waitSeconds": starts.summarize_waits(now),
            "pullHits": starts.count_pulls(now),
        }
    )


@router.get("/timeline")
async def timeline(query: Annotated[HistoryQuery, Query()], recorder: History, caches: Caches) -> Response:
    instance = require_found(caches.instance(query.id))
    resolved = instance.status.template
    now = recorder.now()
    medians, count = recorder.starts.find_medians(
        resolved.id if resolved is not None else instance.spec.template, now.timestamp()
    )
    steps = list_steps(instance, recorder.pull_of(instance))
    return ok(timeline_answer(steps, medians, count, recorder.since, now))


@router.get("/nodes/history")
async def node_history(
    request: Request, query: Annotated[HistoryQuery, Query()], recorder: History, caches: Caches
) -> Response:
    """Its latest instances, and its usage of the last hour: time, VMs, percent of CPU and of RAM."""
    await require_right(request.scope, Right.LIST_VMS)
    node = require_found(caches.node(query.id)).metadata.name
    return ok(
        {
            "since": rfc3339(recorder.since),
            "instances": past_instances(recorder.instances.of_node(node)),
            "usage": recorder.usages.of_node(node),
        }
    )
