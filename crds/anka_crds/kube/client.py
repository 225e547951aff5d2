"""Typed requests to the Kubernetes API over one pooled aiohttp session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Literal

import aiohttp
import orjson

from anka_crds.kube import metrics
from anka_crds.kube.backoff import Backoff, Delays, Random, may_retry, system_random
from anka_crds.kube.config import Endpoint
from anka_crds.kube.errors import ApiError, Unauthorized, Unparsable, Unreachable, from_response
from anka_crds.kube.resource import M, Resource
from anka_crds.process.clock import Clock, SystemClock
from anka_crds.process.session import HoldsSession

Sleep = Callable[[float], Awaitable[None]]
Propagation = Literal["Foreground", "Background", "Orphan"]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
CONNECT_SECONDS = 5.0
DEADLINE_SECONDS = 15.0
ERROR_BYTES = 64 * 1024
"""Of the body of a refusal: what is longer is not the API's."""
MAX_CONNECTIONS = 64
# Below the apiserver's idle timeout (90 s), so that we close first and a write never meets a closing connection.
KEEPALIVE_SECONDS = 30.0


@dataclass(frozen=True)
class ObjectList(Generic[M]):
    """A consistent list: all items as of `resource_version`."""

    items: list[M]
    resource_version: str


@dataclass(frozen=True)
class RawPage:
    """One page of a list, not parsed; `more` is the token of the next page, or empty."""

    items: list[dict[str, Any]]
    resource_version: str
    more: str


@dataclass(frozen=True)
class _Request:
    verb: str
    """Kubernetes verb, for metrics and messages."""
    method: str
    resource: Resource[Any]
    path: str
    params: Mapping[str, str]
    body: bytes | None = None
    content_type: str | None = None

    @property
    def action(self) -> str:
        return f"{self.verb} {self.path}"


class KubeClient(HoldsSession):
    """Requests as one identity to one API. Use as an async context manager.

    Every method raises `errors.ApiError` subclasses and nothing else for what goes wrong outside. `deadline` is
    the time in seconds for the call, repeats included; it holds for the waiting too.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock | None = None,
        *,
        user_agent: str = "anka-cloud",
        backoff: Backoff | None = None,
        chance: Random = system_random,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.endpoint = endpoint
        self._clock: Clock = clock or SystemClock()
        self._user_agent = user_agent
        self._backoff = backoff or Backoff()
        self._chance = chance
        self._sleep = sleep

    def _open_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=KEEPALIVE_SECONDS)
        # Lists compressed by the apiserver cost both sides CPU, which is scarcer here than bandwidth.
        headers = {"User-Agent": self._user_agent, "Accept": JSON, "Accept-Encoding": "identity"}
        return aiohttp.ClientSession(connector=connector, headers=headers, cookie_jar=aiohttp.DummyCookieJar())

    async def get(
        self,
        resource: Resource[M],
        name: str,
        namespace: str | None = None,
        *,
        deadline: float = DEADLINE_SECONDS,
    ) -> M:
        """Read one object. Raises NotFound."""
        request = _Request("get", "GET", resource, resource.path(namespace, name), {})
        return self._parse(resource, request, await self._json(request, deadline))

    async def list(
        self,
        resource: Resource[M],
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        page_size: int = 500,
        deadline: float = 60.0,
    ) -> ObjectList[M]:
        """All objects, read page by page; of all namespaces when none is given.

        Raises Gone when the list changed too much while it was read, Unparsable for any object not understood.
        """
        items: list[M] = []
        more = ""
        until = self._clock.monotonic() + deadline
        while True:
            page = await self.list_page(
                resource,
                namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                limit=page_size,
                more=more,
                deadline=until - self._clock.monotonic(),
            )
            request = _Request("list", "GET", resource, resource.path(namespace), {})
            items.extend(self._parse(resource, request, raw) for raw in page.items)
            more = page.more
            if not more:
                return ObjectList(items, page.resource_version)

    async def list_page(
        self,
        resource: Resource[Any],
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int = 500,
        more: str = "",
        deadline: float = DEADLINE_SECONDS,
        retry: bool = True,
    ) -> RawPage:
        """One page of raw objects, read consistently (no stale cache). `limit` 0 asks for everything."""
        params = _selectors(label_selector, field_selector)
        if limit:
            params["limit"] = str(limit)
        if more:
            params["continue"] = more
        request = _Request("list", "GET", resource, resource.path(namespace), params)
        data = await self._json(request, deadline, retry=retry)
        metadata = data.get("metadata") or {}
        items = data.get("items") or []
        if not isinstance(metadata, dict) or not isinstance(items, list):
            raise Unparsable("the answer is not a list", action=request.action)
        return RawPage(items, str(metadata.get("resourceVersion") or ""), str(metadata.get("continue") or ""))

    async def create(
        self,
        resource: Resource[M],
        obj: M | dict[str, Any],
        namespace: str | None = None,
        *,
        dry_run: bool = False,
        deadline: float = DEADLINE_SECONDS,
    ) -> M:
        """Create; fields that the server does not know are refused. Raises AlreadyExists, Invalid."""
        body = self._body(resource, obj)
        where = namespace or _metadata(body).get("namespace")
        params = {"fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        return await self._write("create", "POST", resource, resource.path(where), body, JSON, params, deadline)

    async def create_subresource(
        self,
        resource: Resource[Any],
        name: str,
        subresource: str,
        body: Mapping[str, Any],
        namespace: str | None = None,
        *,
        deadline: float = DEADLINE_SECONDS,
    ) -> dict[str, Any]:
        """POST to what an object offers, such as tokens of a ServiceAccount; the answer as the API sent it."""
        path = resource.path(namespace, name, subresource)
        request = _Request("create", "POST", resource, path, {}, orjson.dumps(body), JSON)
        return await self._json(request, deadline)

    async def replace(
        self,
        resource: Resource[M],
        obj: M | dict[str, Any],
        *,
        subresource: str | None = None,
        deadline: float = DEADLINE_SECONDS,
    ) -> M:
        """PUT the whole object, guarded by the resourceVersion in it. Raises Conflict."""
        body = self._body(resource, obj)
        metadata = _metadata(body)
        path = resource.path(metadata.get("namespace"), str(metadata.get("name") or ""), subresource)
        return await self._write("update", "PUT", resource, path, body, JSON, {}, deadline)

    async def patch(
        self,
        resource: Resource[M],
        name: str,
        patch: Mapping[str, Any],
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        resource_version: str | None = None,
        deadline: float = DEADLINE_SECONDS,
    ) -> M:
        """JSON merge patch: null deletes a key, lists are replaced whole.

        With `resource_version` it is applied only to exactly that version: Conflict otherwise.
        """
        body = dict(patch)
        if resource_version is not None:
            body["metadata"] = {**body.get("metadata", {}), "resourceVersion": resource_version}
        path = resource.path(namespace, name, subresource)
        return await self._write("patch", "PATCH", resource, path, body, MERGE_PATCH, {}, deadline)

    async def json_patch(
        self,
        resource: Resource[M],
        name: str,
        operations: Sequence[Mapping[str, Any]],
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        deadline: float = DEADLINE_SECONDS,
    ) -> M:
        """RFC 6902 operations, all or none. Raises Invalid when a `test` fails."""
        path = resource.path(namespace, name, subresource)
        body = [dict(operation) for operation in operations]
        return await self._write("patch", "PATCH", resource, path, body, JSON_PATCH, {}, deadline)

    async def delete(
        self,
        resource: Resource[M],
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: Propagation | None = None,
        deadline: float = DEADLINE_SECONDS,
    ) -> M | None:
        """Delete. Returns the object while finalizers hold it, None once it is gone.

        With `uid` only that very object is deleted, not one that came after it: Conflict otherwise.
        """
        body: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1"}
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        given = {key: value for key, value in preconditions.items() if value is not None}
        if given:
            body["preconditions"] = given
        if propagation:
            body["propagationPolicy"] = propagation
        path = resource.path(namespace, name)
        request = _Request("delete", "DELETE", resource, path, {}, orjson.dumps(body), JSON)
        data = await self._json(request, deadline)
        finalizing = data.get("kind") != "Status" and "deletionTimestamp" in _metadata(data)
        return self._parse(resource, request, data) if finalizing else None

    @asynccontextmanager
    async def watch(
        self,
        resource: Resource[Any],
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str | None = None,
        field_selector: str | None = None,
        timeout_seconds: int = 300,
        inactivity_seconds: float = 70.0,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """An open watch stream, as chunks of bytes. The server ends it after `timeout_seconds`; silence of
        `inactivity_seconds` raises Unreachable, because a connection that died half-way says nothing at all.
        """
        params = _selectors(label_selector, field_selector) | {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(timeout_seconds),
        }
        request = _Request("watch", "GET", resource, resource.path(namespace), params)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=inactivity_seconds)
        response = await self._send_authenticated(request, limits)
        try:
            yield self._chunks(request, response)
        finally:
            response.close()

    async def _chunks(self, request: _Request, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        with _network_errors(request):
            async for chunk in response.content.iter_any():
                yield chunk

    def _body(self, resource: Resource[M], obj: M | dict[str, Any]) -> dict[str, Any]:
        body = dict(obj) if isinstance(obj, dict) else resource.dump(obj)
        return {"apiVersion": resource.api_version, "kind": resource.kind, **body}

    def _parse(self, resource: Resource[M], request: _Request, data: dict[str, Any]) -> M:
        try:
            return resource.parse(data)
        except Exception as error:  # whatever a model raises for an object of another version
            raise Unparsable(" ".join(str(error).split())[:500], action=request.action) from error

    async def _write(
        self,
        verb: str,
        method: str,
        resource: Resource[M],
        path: str,
        body: Any,
        content_type: str,
        params: Mapping[str, str],
        deadline: float,
    ) -> M:
        request = _Request(verb, method, resource, path, params, orjson.dumps(body), content_type)
        return self._parse(resource, request, await self._json(request, deadline))

    async def _json(self, request: _Request, deadline: float, *, retry: bool = True) -> dict[str, Any]:
        """Send, repeat where `backoff.may_retry` allows it and the deadline leaves time, and decode."""
        until = self._clock.monotonic() + deadline
        delays = Delays(self._backoff, self._chance)
        while True:
            try:
                return await self._attempt(request, max(0.001, until - self._clock.monotonic()))
            except ApiError as error:
                if not retry or not may_retry(error, read=request.method == "GET"):
                    raise
                delay = delays.next(error.retry_after)
                if self._clock.monotonic() + delay >= until:
                    raise
                metrics.RETRIES.labels(request.verb, request.resource.label, error.reason).inc()
            await self._sleep(delay)

    async def _attempt(self, request: _Request, seconds: float) -> dict[str, Any]:
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds))
        started = self._clock.monotonic()
        try:
            response = await self._send_authenticated(request, limits)
            with _network_errors(request):
                async with response:
                    body = await response.read()
        finally:
            metrics.LATENCY.labels(request.verb, request.resource.label).observe(self._clock.monotonic() - started)
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Unparsable(f"the answer is not JSON: {error}", action=request.action) from error
        if not isinstance(data, dict):
            raise Unparsable("the answer is not a JSON object", action=request.action)
        return data

    async def _send_authenticated(self, request: _Request, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        """A 401 may only mean that the token was rotated: ask for a fresh one and try once more, at once."""
        headers = await self.endpoint.credentials.headers()
        try:
            return await self._send(request, limits, headers)
        except Unauthorized:
            self.endpoint.credentials.invalidate(headers)
            return await self._send(request, limits, await self.endpoint.credentials.headers())

    async def _send(
        self, request: _Request, limits: aiohttp.ClientTimeout, credentials: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """One HTTP exchange up to the answer's headers; raises for any status >= 400."""
        if self._session is None:
            raise RuntimeError("KubeClient is used outside of its context manager")
        headers = dict(credentials)
        if request.content_type:
            headers["Content-Type"] = request.content_type
        code = "0"
        try:
            with _network_errors(request):
                response = await self._session.request(
                    request.method,
                    self.endpoint.server + request.path,
                    params=request.params,
                    data=request.body,
                    headers=headers,
                    timeout=limits,
                    ssl=self.endpoint.ssl or True,
                    server_hostname=self.endpoint.server_hostname,
                    proxy=self.endpoint.proxy,
                    allow_redirects=False,
                )
                code = str(response.status)
                if response.status < 300:
                    return response
                async with response:
                    body = await _error_body(response)
        finally:
            metrics.REQUESTS.labels(request.verb, request.resource.label, code).inc()
        raise from_response(response.status, response.headers, body, action=request.action)


async def _error_body(response: aiohttp.ClientResponse) -> bytes:
    """All of it, within reason: one read gives what has arrived, which may be the half of it."""
    body = b""
    while len(body) < ERROR_BYTES and (chunk := await response.content.read(ERROR_BYTES - len(body))):
        body += chunk
    return body


@contextmanager
def _network_errors(request: _Request) -> Iterator[None]:
    """Turns what aiohttp raises into Unreachable, and says whether the request can have been sent."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Unreachable(_words(error), sent=False, action=request.action) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unreachable(_words(error), sent=True, action=request.action) from error


def _words(error: BaseException) -> str:
    if isinstance(error, aiohttp.SocketTimeoutError):
        return "the server stopped sending"
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    return str(error) or type(error).__name__


def _selectors(label_selector: str | None, field_selector: str | None) -> dict[str, str]:
    params = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {key: value for key, value in params.items() if value}


def _metadata(body: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = body.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
