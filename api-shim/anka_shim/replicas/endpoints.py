"""/peer/reached: how replicas of this shim poll each other; /peer/used: what they tell each other. Not for clients, so
not in the OpenAPI document.

They reveal nothing but how far the watches are, and whether a secret was used, and hold few connections for a short
time. With --peer-key-file they are for replicas that have this key only, and these can tell our answers from forged
ones.
"""

import math
import re
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from anka_shim.http.authentication import client_address
from anka_shim.http.injection import Caches, CacheWatches, inject
from anka_shim.replicas.announcements import MOST_TOGETHER, UsedSecret
from anka_shim.replicas.client import PATH, USED_PATH
from anka_shim.replicas.peer_key import PeerKey
from anka_shim.replicas.peers import Peers
from anka_shim.replicas.signature import HEADER
from anka_shim.replicas.used_secrets import UsedSecrets
from anka_shim.store.caches import Stores, Watches

MAX_SECONDS = 2.0
MAX_WAITING = 256

router = APIRouter(include_in_schema=False)


OtherReplicas = Annotated[Peers, inject(Peers)]
SharedKey = Annotated[PeerKey, inject(PeerKey)]
Used = Annotated[UsedSecrets, inject(UsedSecrets)]

_SECRET = re.compile(r"[0-9a-f]{32}\.[0-9]{1,12}", re.ASCII)


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
    if not _is_of_a_replica(request, key, PATH):
        return _refuse()
    peers.on_contact(own_id)
    return _signed(request, key, await _answer(peers, caches, watches, kind, version, seconds))


@router.post(USED_PATH)
async def note_used(
    request: Request,
    key: SharedKey,
    peers: OtherReplicas,
    used: Used,
    own_id: Annotated[str, Query(alias="from")] = "",
    secrets: Annotated[str, Query()] = "",
) -> Response:
    """These secrets of handshakes were used at the replica that asks. `known`: those that were used before.

    Never without a key, or anybody could fill the memory until it forgets what was used."""
    if not key.is_set:
        return PlainTextResponse("this replica has no --peer-key-file\n", status_code=404)
    if not _is_of_a_replica(request, key, USED_PATH):
        return _refuse()
    peers.on_contact(own_id)
    told = secrets.split(",", MOST_TOGETHER)
    if len(told) > MOST_TOGETHER or not all(_SECRET.fullmatch(one) for one in told):
        return PlainTextResponse("secrets is not what a replica tells\n", status_code=400)
    pairs = [one.split(".") for one in told]
    known = [nonce for nonce, until in pairs if not used.note(UsedSecret(bytes.fromhex(nonce), int(until)))]
    return _signed(request, key, JSONResponse({"id": peers.id, "known": known}))


def _refuse() -> Response:
    return PlainTextResponse("the question is not of a replica that has our key\n", status_code=401)


def _is_of_a_replica(request: Request, key: PeerKey, path: str) -> bool:
    target = f"{path}?{request.url.query}" if request.url.query else path
    return key.check_question(request.headers.get(HEADER, ""), request.method, target, client_address(request.scope))


def _signed(request: Request, key: PeerKey, answer: Response) -> Response:
    if signature := key.sign_answer(request.headers.get(HEADER, ""), bytes(answer.body)):
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
