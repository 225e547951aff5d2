"""/peer/reached: how replicas of this shim poll each other. Not for clients, so not in the OpenAPI document.

It reveals nothing but how far the watches are, changes nothing, and holds few connections for a short time. With
--peer-key-file it is for replicas that have this key only, and they can tell our answers from forged ones.
"""

import math
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from anka_shim.http.authentication import client_address
from anka_shim.http.injection import Caches, CacheWatches, inject
from anka_shim.replicas.client import PATH
from anka_shim.replicas.peer_key import PeerKey
from anka_shim.replicas.peers import Peers
from anka_shim.replicas.signature import HEADER
from anka_shim.store.caches import Stores, Watches

MAX_SECONDS = 2.0
MAX_WAITING = 256

router = APIRouter(include_in_schema=False)


OtherReplicas = Annotated[Peers, inject(Peers)]
SharedKey = Annotated[PeerKey, inject(PeerKey)]


@router.get(PATH)
async def poll_version(
    request: Request,
    key: SharedKey,
    peers: OtherReplicas,
    caches: Caches,
    watches: CacheWatches,
    own_id: Annotated[str, Query(alias="from")] = "",
    kind: Annotated[str | None, Query()] = None,
    version: Annotated[str, Query()] = "",
    seconds: Annotated[str, Query()] = "0",
) -> Response:
    """Answers once the watch of `kind` has reached `version`, or after `seconds`; at once without a kind. `seen` is
    empty until something has been read: clients are then asked to wait, and see nothing old."""
    question = request.headers.get(HEADER, "")
    target = f"{PATH}?{request.url.query}" if request.url.query else PATH
    client = client_address(request.scope)
    if not key.check_question(question, request.method, target, client):
        return PlainTextResponse("the question is not of a replica that has our key\n", status_code=401)
    peers.on_contact(own_id)
    answer = await _answer(peers, caches, watches, kind, version, seconds)
    if signature := key.sign_answer(question, bytes(answer.body)):
        answer.headers[HEADER] = signature
    return answer


async def _answer(
    peers: Peers, caches: Stores, watches: Watches, kind: str | None, version: str, seconds: str
) -> Response:
    if kind is None:
        return JSONResponse({"id": peers.id})
    limit = _parse_seconds(seconds)
    store = next((store for store in caches.all if store.resource.plural == kind), None)
    if store is None or not version.isdecimal() or len(version) > 20 or limit is None:
        return PlainTextResponse("kind, version or seconds is not what a replica asks\n", status_code=400)
    if peers.waiting >= MAX_WAITING:
        return PlainTextResponse("too many replicas wait\n", status_code=503)
    peers.waiting += 1
    try:
        if watches.missing_caches() is None:
            await store.wait_for_delivery(lambda: store.has_delivered(version), limit)
    finally:
        peers.waiting -= 1
    return JSONResponse({"id": peers.id, "seen": store.delivered_version if watches.missing_caches() is None else ""})


def _parse_seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return min(max(seconds, 0.0), MAX_SECONDS) if math.isfinite(seconds) else None
