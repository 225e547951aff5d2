"""The outermost layer of the application: request ids, the access log, metrics, and the promise that every answer
is an envelope, whatever goes wrong inside."""

import logging
import re
import time
import uuid
from functools import cache
from typing import Literal

from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anka_runtime import logs
from anka_runtime.repetition import CAUSE
from anka_shim import metrics
from anka_shim.failure import Failure
from anka_shim.http.authentication import ANONYMOUS, PRINCIPAL, client_address
from anka_shim.http.cross_origin import CrossOriginPolicy, answer_preflight, is_preflight, without_cookies
from anka_shim.http.envelope import MESSAGE, OUTCOME, Envelope, fail
from anka_shim.http.methods import SAFE
from anka_shim.http.notes import NOTES, noted
from anka_shim.http.origin import Headers, OriginPolicy
from anka_shim.http.rate import UNLIMITED, RateLimit

log = logging.getLogger("anka_shim.access")

AccessLog = Literal["all", "changes", "none"]

REQUEST_ID = "anka.request_id"
"""Key in the ASGI scope under which the request's id is found."""

LOGGED_CHARACTERS = 200
"""Of a path or a failure, in the log."""

UNTIMED = frozenset({"/logs/stream"})
"""Routes whose answers last as long as the client wants: no measure of how slow we are."""

_SLASHES = re.compile("/{2,}")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Edge:
    """ASGI middleware around the whole application, and the one place where a Failure becomes an answer.

    `draining`, once set, asks clients to open a new connection for their next request: a kept connection that we
    close on shutdown would make some of them repeat a POST blindly.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_in_flight: int,
        access_log: AccessLog,
        origins: OriginPolicy,
        cross_origin: CrossOriginPolicy | None = None,
        rate_limit: RateLimit | None = None,
    ) -> None:
        self._app = app
        self._max_in_flight = max_in_flight
        self._access_log = access_log
        self._origins = origins
        self._cross_origin = cross_origin or CrossOriginPolicy()
        self._rate_limit = rate_limit
        self._in_flight = 0
        self.draining = False
        metrics.IN_FLIGHT.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers: Headers = dict(scope["headers"])
        request_id = _request_id(headers)
        scope[REQUEST_ID] = request_id.decode()
        # Endpoints see a copy of the scope, with the same notes.
        scope[NOTES] = {}
        scope["path"] = _normalize(scope["path"])
        # The page of another site that sends this, if such a page may.
        page = self._cross_origin.find_origin(headers) if self._cross_origin.is_on else None
        if page is not None:
            scope["headers"] = without_cookies(scope["headers"])
        code = 0

        async def sending(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                # A new list: this one belongs to the response, which may be answered again.
                headers = message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
                if self.draining:
                    headers.append((b"connection", b"close"))
                if scope.get(PRINCIPAL, ANONYMOUS) is not ANONYMOUS:
                    # What one user may see must not be kept for the next.
                    headers.append((b"cache-control", b"no-store"))
                if self._cross_origin.is_on:
                    headers += self._cross_origin.answer_headers(page)
            await send(message)

        self._in_flight += 1
        with logs.context(request_id=scope[REQUEST_ID]):
            try:
                refusal = await self._refusal(scope, headers, page)
                if refusal is not None:
                    await refusal(scope, receive, sending)
                elif page is not None and is_preflight(scope["method"], headers):
                    await answer_preflight()(scope, receive, sending)
                else:
                    await self._app(scope, receive, sending)
            except ClientDisconnect:
                log.debug("the client is gone")
            except Failure as failure:
                later = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
                await fail(failure.message, code=failure.code, headers=later)(scope, receive, sending)
            except Exception:
                log.exception("request failed: a bug in the API shim")
                if not code:
                    text = f"internal error, request {scope[REQUEST_ID]}: see the log of the API shim"
                    await fail(text, code=500)(scope, receive, sending)
            finally:
                self._in_flight -= 1
                self._record(scope, code, time.perf_counter() - started)

    async def _refusal(self, scope: Scope, headers: Headers, page: bytes | None) -> Envelope | None:
        if self._in_flight > self._max_in_flight and not scope["path"].startswith(UNLIMITED):
            metrics.REJECTED.inc()
            return fail("too many requests at a time: try again", code=503, headers={"Retry-After": "1"})
        reason = self._origins.refusal(scope["method"], headers, is_other_site_allowed=page is not None)
        if reason is not None:
            return fail(reason, code=403)
        if self._rate_limit is not None:
            client = client_address(scope)
            seconds = await self._rate_limit.retry_after(scope["path"], client)
            if seconds is not None:
                metrics.LIMITED.inc()
                text = f"too many requests, at most {self._rate_limit.rule}: try again in {seconds} s"
                return fail(text, code=429, headers={"Retry-After": str(seconds)})
        return None

    def _record(self, scope: Scope, code: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = getattr(scope.get("route"), "path", "other")
        outcome = scope.get(OUTCOME, "none")
        if route not in UNTIMED:
            _latency(method, route).observe(seconds)
        _requests(method, route, outcome, code).inc()
        if self._access_log == "none" or (self._access_log == "changes" and method in SAFE and outcome != "FAIL"):
            return
        client = client_address(scope)
        fields = {
            "method": method,
            "path": _cut(scope["path"]),
            "code": code,
            "outcome": outcome,
            "ms": round(seconds * 1e3, 2),
        }
        if client:
            fields["client"] = client
        principal = scope.get(PRINCIPAL, ANONYMOUS)
        if principal != ANONYMOUS:
            fields["user"] = _cut(principal.account)
        fields |= {name: _cut(value) for name, value in noted(scope).items()}
        if outcome == "FAIL":
            fields["failure"] = _cut(scope[MESSAGE])
            if self._access_log != "all":
                fields[CAUSE] = (client, method, route, code)
        log.info("request", extra=fields)


@cache
def _latency(method: str, route: str) -> Histogram:
    return metrics.LATENCY.labels(method, route)


@cache
def _requests(method: str, route: str, outcome: str, code: int) -> Counter:
    return metrics.REQUESTS.labels(method, route, outcome, str(code))


def _cut(text: str) -> str:
    """Of what a client chose: short, and on one line."""
    text = text if text.isprintable() else repr(text)[1:-1]
    return text if len(text) <= LOGGED_CHARACTERS else text[:LOGGED_CHARACTERS] + "…"


def _normalize(path: str) -> str:
    """`/api/v1/vm/` and `//api/v1/vm` are `/api/v1/vm`: a redirect would lose the body of a POST
    (docs/reference/legacy-api.md#http-200)."""
    if "//" in path:
        path = _SLASHES.sub("/", path)
    return path[:-1] if len(path) > 1 and path.endswith("/") else path


def _request_id(headers: Headers) -> bytes:
    """The client's own X-Request-Id if it is acceptable, else a new one."""
    given = headers.get(b"x-request-id")
    return given if given is not None and _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex.encode()
