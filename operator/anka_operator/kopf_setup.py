"""How kopf is run: as whom it talks to the API, and without its habits that cost writes or end the process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import kopf
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

from anka_crds.api.meta import GROUP, VERSION
from anka_crds.kube.backoff import Backoff, system_random
from anka_crds.kube.config import Endpoint
from anka_operator.handlers.instance import SELECTOR


class EndlessBackoff:
    """Delays in seconds for kopf, which ends the whole operator when a sequence of delays ends."""

    def __init__(self, backoff: Backoff | None = None) -> None:
        self._backoff = backoff or Backoff()

    def __iter__(self) -> Iterator[float]:
        attempt = 0
        while True:
            yield self._backoff.delay(attempt, system_random())
            attempt += 1


def settings() -> kopf.OperatorSettings:
    result = kopf.OperatorSettings()
    result.posting.enabled = False
    result.peering.standalone = True
    result.scanning.disabled = True
    result.networking.error_backoffs = EndlessBackoff()
    result.networking.enforce_retry_after = True
    result.watching.server_timeout = 300
    result.watching.connect_timeout = 5
    result.queueing.worker_limit = 32
    # An object whose handling failed must not be left alone for ten minutes.
    result.queueing.error_delays = EndlessBackoff()
    result.persistence.finalizer = f"{GROUP}/kopf"
    result.watching.field_selectors[GROUP, VERSION, "ankainstances"] = SELECTOR
    return result


def login(registry: kopf.OperatorRegistry, endpoint: Endpoint) -> None:
    """kopf uses our connection settings: every request asks our credentials, so a rotated token is seen by it too."""

    @kopf.on.login(registry=registry, id="endpoint")
    async def endpoint_login(**_: Any) -> kopf.AiohttpSession:
        async def authorize(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
            headers = await endpoint.credentials.headers()
            request.headers.update(headers)
            response = await handler(request)
            if response.status == 401:
                endpoint.credentials.invalidate(headers)
            return response

        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=endpoint.ssl or True),
            headers={"User-Agent": "anka-operator/kopf"},
            middlewares=(authorize,),
            proxy=endpoint.proxy,
        )
        return kopf.AiohttpSession(
            server=endpoint.server, default_namespace=endpoint.namespace, aiohttp_session=session
        )
