"""/peer/reached: what replicas of this shim ask each other. Not for clients, so not in the OpenAPI document.

It tells nothing but how far the watches are, changes nothing, and holds few connections for a short time: it needs no
authentication.
"""

from __future__ import annotations

import math
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from anka_crds.kube.store import Store
from anka_shim.cloud.peer_line import PATH
from anka_shim.services import Services

MOST_SECONDS = 2.0
MOST_WAITING = 256


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoint to the application."""
    stores = services.stores
    kinds: dict[str, Store[Any]] = {
        store.resource.plural: store
        for store in (
            stores.instances,
            stores.nodes,
            stores.templates,
            stores.groups,
            stores.saves,
            stores.distributions,
        )
    }
    waiting = 0

    @app.get(PATH, include_in_schema=False)
    async def reached(request: Request) -> Response:
        """Answers once the watch of `kind` has reached `version`, or after `seconds`; at once without a kind. `seen`
        is empty while nothing was read yet: then clients are told to wait, and see nothing that is old."""
        nonlocal waiting
        query = request.query_params
        services.peers.greeted(query.get("from", ""))
        kind, version = query.get("kind"), query.get("version", "")
        if kind is None:
            return JSONResponse({"id": services.peers.id})
        seconds = _seconds(query.get("seconds", "0"))
        store = kinds.get(kind)
        if store is None or not version.isdecimal() or len(version) > 20 or seconds is None:
            return PlainTextResponse("kind, version or seconds is not what a replica asks\n", status_code=400)
        if waiting >= MOST_WAITING:
            return PlainTextResponse("too many replicas wait\n", status_code=503)
        waiting += 1
        try:
            if services.unsynced() is None:
                await store.delivered(lambda: store.reached(version), seconds)
        finally:
            waiting -= 1
        return JSONResponse({"id": services.peers.id, "seen": store.seen if services.unsynced() is None else ""})


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return min(max(seconds, 0.0), MOST_SECONDS) if math.isfinite(seconds) else None
