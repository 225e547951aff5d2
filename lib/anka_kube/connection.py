"""HTTP with the Kubernetes API: one pooled session, credentials that rotate, retries, an error type for each cause."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic

import aiohttp
import orjson

from anka_kube import metrics
from anka_kube.api_clock import ApiClock
from anka_kube.endpoint import Endpoint
from anka_kube.errors import ApiError, Unauthorized, Unparsable, Unreachable, can_retry, from_response
from anka_kube.resource import M, Resource
from anka_runtime.backoff import Backoff, Delays, Random, system_random
from anka_runtime.clock import Sleep
from anka_runtime.session import AnswerError, HttpSession, open_session

JSON = "application/json"
CONNECT_SECONDS = 5.0
ANSWER_BYTES = 256 << 20
"""Longest answer: a page of a list has at most 500 objects."""
ERROR_BYTES = 64 * 1024
"""Limit for the body of an error: a longer one is not from the API."""
MAX_CONNECTIONS = 64
# Below the apiserver's idle timeout (90 s): we close first, and a write never meets a closing connection.
KEEPALIVE_SECONDS = 30.0


@dataclass(frozen=True)
class ApiRequest(Generic[M]):
    verb: str
    """Kubernetes verb, for metrics and messages."""
    method: str
    resource: Resource[M]
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    content_type: str = JSON
    accept: str | None = None

    @property
    def action(self) -> str:
        return f"{self.verb} {self.path}"


class ApiConnection(HttpSession):
    """Requests as one identity to one API. Use as an async context manager.

    For every external failure, methods raise subclasses of `errors.ApiError` and nothing else. `clock` learns the API's
    time from every answer.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: ApiClock | None = None,
        *,
        user_agent: str = "anka-cloud",
        backoff: Backoff | None = None,
        chance: Random = system_random,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.endpoint = endpoint
        self._clock = clock or ApiClock()
        self._user_agent = user_agent
        self._backoff = backoff or Backoff()
        self._chance = chance
        self._sleep = sleep

    def _open_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=KEEPALIVE_SECONDS)
        # Compression costs both sides CPU, which is scarcer here than bandwidth.
        headers = {"User-Agent": self._user_agent, "Accept": JSON, "Accept-Encoding": "identity"}
        return open_session(
            most_bytes=ANSWER_BYTES, connector=connector, headers=headers, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def send(self, request: ApiRequest[Any], deadline: float, *, retry: bool = True) -> dict[str, Any]:
        """The answer's JSON object. Retries where `can_retry` allows it and the deadline leaves time, and decode."""
        until = self._clock.monotonic() + deadline
        delays = Delays(self._backoff, self._chance)
        refusal: ApiError | None = None
        try:
            while True:
                try:
                    return await self._attempt(request, max(0.001, until - self._clock.monotonic()))
                except ApiError as error:
                    if not retry or not can_retry(error, read=request.method == "GET"):
                        raise
                    delay = delays.next(error.retry_after)
                    if self._clock.monotonic() + delay >= until:
                        raise
                    metrics.RETRIES.labels(request.verb, request.resource.label, error.reason).inc()
                    refusal = error
                await self._sleep(delay)
        except asyncio.CancelledError as ended:
            # For whoever limits our time, and has to say why it was too short.
            raise ended from refusal

    @asynccontextmanager
    async def stream(
        self, request: ApiRequest[Any], inactivity_seconds: float, gather_seconds: float = 0.0
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The answer as it comes, but not more often than every `gather_seconds`. Without data for
        `inactivity_seconds`, reading raises Unreachable."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=inactivity_seconds)
        response = await self._send_authenticated(request, limits)
        try:
            yield self._chunks(request, response, gather_seconds)
        finally:
            response.close()

    async def _chunks(
        self, request: ApiRequest[Any], response: aiohttp.ClientResponse, gather_seconds: float
    ) -> AsyncIterator[bytes]:
        with _network_errors(request):
            async for chunk in response.content.iter_any():
                yield chunk
                if gather_seconds:
                    await self._gather(response, gather_seconds)

    async def _gather(self, response: aiohttp.ClientResponse, seconds: float) -> None:
        """Let more arrive, in the socket: to be woken for each event costs far more than the event does."""
        transport = response.connection.transport if response.connection is not None else None
        if transport is None or transport.is_closing():
            return
        transport.pause_reading()
        try:
            await self._sleep(seconds)
        finally:
            if not transport.is_closing():
                transport.resume_reading()

    async def _attempt(self, request: ApiRequest[Any], seconds: float) -> dict[str, Any]:
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

    async def _send_authenticated(
        self, request: ApiRequest[Any], limits: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """A 401 may only mean that the token was rotated: ask for a fresh one and try once more, at once."""
        headers = await self.endpoint.credentials.headers()
        try:
            return await self._send(request, limits, headers)
        except Unauthorized:
            self.endpoint.credentials.invalidate(headers)
            return await self._send(request, limits, await self.endpoint.credentials.headers())

    async def _send(
        self, request: ApiRequest[Any], limits: aiohttp.ClientTimeout, credentials: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """One HTTP exchange up to the answer's headers; raises for any status >= 400."""
        if self._session is None:
            raise RuntimeError(f"{type(self).__name__} is used outside of its context manager")
        body = None if request.body is None else orjson.dumps(request.body)
        headers = dict(credentials) if body is None else {**credentials, "Content-Type": request.content_type}
        if request.accept is not None:
            headers["Accept"] = request.accept
        code, sent = "0", self._clock.monotonic()
        try:
            with _network_errors(request):
                response = await self._session.request(
                    request.method,
                    self.endpoint.server + request.path,
                    params=request.params,
                    data=body,
                    headers=headers,
                    timeout=limits,
                    ssl=self.endpoint.ssl or True,
                    server_hostname=self.endpoint.server_hostname,
                    proxy=self.endpoint.proxy,
                    allow_redirects=False,
                )
                code = str(response.status)
                self._clock.learn(response.headers.get("Date"), sent, self._clock.monotonic())
                if response.status < 300:
                    return response
                async with response:
                    refusal = await _error_body(response)
        finally:
            metrics.REQUESTS.labels(request.verb, request.resource.label, code).inc()
        raise from_response(response.status, response.headers, refusal, action=request.action)


async def _error_body(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, up to a limit: a single read may return only the part that has arrived."""
    body = b""
    while len(body) < ERROR_BYTES and (chunk := await response.content.read(ERROR_BYTES - len(body))):
        body += chunk
    return body


@contextmanager
def _network_errors(request: ApiRequest[Any]) -> Iterator[None]:
    """Turns what aiohttp raises into Unreachable, and says whether the request can have been sent."""
    try:
        yield
    except AnswerError as error:
        # It would be the same again: not to be retried.
        raise Unparsable(str(error), action=request.action) from error
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
