"""How kopf is run: without the habits that cost writes or end the process, and with our connection to the API."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import aiohttp
import kopf
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

from anka_crds.api.meta import GROUP
from anka_kube.connection import ANSWER_BYTES
from anka_kube.endpoint import Endpoint
from anka_kube.resource import Resource
from anka_operator.kopf_watch.feed import KopfFeed
from anka_runtime.backoff import Backoff, system_random
from anka_runtime.session import open_session


class EndlessBackoff:
    """Delays in seconds for kopf, which ends the whole operator when a sequence of delays ends."""

    def __init__(self, backoff: Backoff | None = None) -> None:
        self._backoff = backoff or Backoff()

    def __iter__(self) -> Iterator[float]:
        attempt = 0
        while True:
            yield self._backoff.delay(attempt, system_random())
            attempt += 1


class NoDiffBaseStorage(kopf.DiffBaseStorage):
    """kopf compares every object with its last state, for handlers of changes. There are none, so the copies and
    comparisons would be wasted."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return kopf.BodyEssence({})

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        return None

    def store(self, **_: Any) -> None:
        """Stores nothing."""


def build_settings(field_selectors: Mapping[Resource[Any], str]) -> kopf.OperatorSettings:
    """`field_selectors`: kinds of which only some objects are watched."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.networking.error_backoffs = EndlessBackoff()
    settings.networking.enforce_retry_after = True
    # kopf keeps bookmarks to itself: a new request every minute shows that a watch is alive.
    settings.watching.server_timeout = 60
    settings.watching.connect_timeout = 5
    # Handlers only hand objects on. A limit would make objects wait for idle workers.
    settings.queueing.worker_limit = None
    settings.queueing.idle_timeout = 0.5
    # An object whose handling failed must not be left alone for ten minutes.
    settings.queueing.error_delays = EndlessBackoff()
    settings.persistence.finalizer = f"{GROUP}/kopf"
    settings.persistence.diffbase_storage = NoDiffBaseStorage()
    for kind, selector in field_selectors.items():
        settings.watching.field_selectors[kind.group, kind.version, kind.plural] = selector
    return settings


def register_login(registry: kopf.OperatorRegistry, endpoint: Endpoint, feeds: Iterable[KopfFeed[Any]] = ()) -> None:
    """Every request rereads the credentials, so that kopf notices a rotated token, too."""
    by_path = {feed.resource.path(): feed for feed in feeds}

    @kopf.on.login(registry=registry, id="endpoint")
    async def log_in(**_: Any) -> kopf.AiohttpSession:
        async def authorize(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
            headers = await endpoint.credentials.headers()
            request.headers.update(headers)
            response = await handler(request)
            if response.status == 401:
                endpoint.credentials.invalidate(headers)
            return response

        async def feed(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
            found = by_path.get(request.url.path) if request.method == "GET" else None
            return await handler(request) if found is None else await found.send(request, handler)

        session = open_session(
            most_bytes=ANSWER_BYTES,
            connector=aiohttp.TCPConnector(limit=0, ssl=endpoint.ssl or True),
            headers={"User-Agent": "anka-operator/kopf"},
            middlewares=(feed, authorize),
            proxy=endpoint.proxy,
        )
        return kopf.AiohttpSession(
            server=endpoint.server, default_namespace=endpoint.namespace, aiohttp_session=session
        )
