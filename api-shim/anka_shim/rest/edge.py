"""The outermost layer of the application: request ids, the access log, metrics, and the promise that every answer
is an envelope, whatever goes wrong inside."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anka_crds.process import logs
from anka_shim.rest import metrics
from anka_shim.rest.envelope import MESSAGE, OUTCOME, Envelope, fail
from anka_shim.rest.rate import RateLimit

log = logging.getLogger("anka_shim.access")

AccessLog = Literal["all", "changes", "none"]

REQUEST_ID = "anka.request_id"
"""Key in the ASGI scope under which the request's id is found."""

_SLASHES = re.compile("/{2,}")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Edge:
    """ASGI middleware around the whole application.

    `draining`, once set, asks clients to open a new connection for their next request: a kept connection that we
    close on shutdown would make some of them repeat a POST blindly.
    """

    def __init__(
        self, app: ASGIApp, *, max_in_flight: int, access_log: AccessLog, rate_limit: RateLimit | None = None
    ) -> None:
        self._app = app
        self._max_in_flight = max_in_flight
        self._access_log = access_log
        self._rate_limit = rate_limit
        self._in_flight = 0
        self.draining = False
        metrics.IN_FLIGHT.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        scope[REQUEST_ID] = request_id.decode()
        scope["path"] = _normal(scope["path"])
        code = 0

        async def sending(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                message["headers"].append((b"x-request-id", request_id))
                if self.draining:
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        self._in_flight += 1
        with logs.context(request_id=request_id.decode()):
            try:
                refusal = await self._refusal(scope)
                if refusal is not None:
                    await refusal(scope, receive, sending)
                else:
                    await self._app(scope, receive, sending)
            except Exception:
                # The application has answered already: with an envelope and HTTP 500.
                log.exception("request failed: a bug in the API shim")
            finally:
                self._in_flight -= 1
                self._account(scope, code, time.perf_counter() - started)

    async def _refusal(self, scope: Scope) -> Envelope | None:
        if self._in_flight > self._max_in_flight:
            metrics.REJECTED.inc()
            return fail("too many requests at a time: try again", code=503, headers={"Retry-After": "1"})
        if self._rate_limit is not None:
            client = scope["client"][0] if scope.get("client") else ""
            seconds = await self._rate_limit.refused(scope["path"], client)
            if seconds is not None:
                metrics.LIMITED.inc()
                text = f"too many requests, at most {self._rate_limit.rule}: try again in {seconds} s"
                return fail(text, code=429, headers={"Retry-After": str(seconds)})
        return None

    def _account(self, scope: Scope, code: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = getattr(scope.get("route"), "path", "other")
        outcome = scope.get(OUTCOME, "none")
        metrics.LATENCY.labels(method, route).observe(seconds)
        metrics.REQUESTS.labels(method, route, outcome, str(code)).inc()
        if self._access_log == "none" or (self._access_log == "changes" and method == "GET" and outcome != "FAIL"):
            return
        fields = {
            "method": method,
            "path": scope["path"],
            "code": code,
            "outcome": outcome,
            "ms": round(seconds * 1e3, 2),
        }
        if scope.get("client"):
            fields["client"] = scope["client"][0]
        if scope.get(MESSAGE):
            fields["failure"] = scope[MESSAGE]
        log.info("request", extra=fields)


def _normal(path: str) -> str:
    """`/api/v1/vm/` and `//api/v1/vm` are `/api/v1/vm`: a redirect would lose the body of a POST (hazard 2)."""
    if "//" in path:
        path = _SLASHES.sub("/", path)
    return path[:-1] if len(path) > 1 and path.endswith("/") else path


def _request_id(scope: Scope) -> bytes:
    """The client's own X-Request-Id if it is a decent one, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return bytes(value)
    return uuid.uuid4().hex.encode()
