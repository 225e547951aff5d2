"""How a process proves at its registry who it is, and knows that it is the registry: of its settings."""

import ssl
from dataclasses import dataclass

import aiohttp
import orjson
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, hdrs

from anka_registry.credential import (
    LoginRefused,
    Post,
    RegistryCredential,
    RegistryKeyCredential,
    RegistryRootCredential,
)
from anka_registry.errors import RegistryUnauthorized
from anka_registry.metrics import REFUSED_CREDENTIALS
from anka_runtime.clock import Clock, SystemClock
from anka_runtime.secret_file import SHORTEST_TOKEN, SecretFile
from anka_runtime.session import keep_origin, open_session
from anka_runtime.settings import ClusterRegistrySettings, RegistrySettings
from anka_runtime.tls_files import TlsFiles

UNAUTHORIZED = frozenset({401, 403})
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """For one registry. Clients that have the same share a session. With nothing in it: as anybody."""

    credential: RegistryCredential | None = None
    tls: TlsFiles | None = None

    @property
    def name(self) -> str:
        """What messages call it; no secret."""
        if self.credential is not None:
            return self.credential.name
        return "the client certificate" if self.tls is not None and self.tls.has_certificate else NOBODY

    def ssl(self) -> ssl.SSLContext | bool:
        """As aiohttp takes it for a request."""
        return True if self.tls is None else self.tls.context()

    def open_session(self, url: str, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
        """`url`: of the registry."""
        middlewares = () if self.credential is None else (self._authenticate_with(self.credential, url),)
        return open_session(timeout=timeout, middlewares=middlewares)

    def _authenticate_with(self, credential: RegistryCredential, url: str) -> aiohttp.ClientMiddlewareType:
        async def log_in(session: aiohttp.ClientSession) -> str:
            try:
                return await credential.header(self._post(url, session))
            except LoginRefused as error:
                REFUSED_CREDENTIALS.labels("401").inc()
                raise RegistryUnauthorized(f"registry {url}: {error}", 401) from None

        async def authenticate(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
            header = request.headers[hdrs.AUTHORIZATION] = await log_in(request.session)
            response = await handler(request)
            if response.status == 401 and credential.forget(header):
                # Once more only: it was not the age of the session.
                response.close()
                request.headers[hdrs.AUTHORIZATION] = await log_in(request.session)
                response = await handler(request)
            return response

        return authenticate

    def _post(self, url: str, session: aiohttp.ClientSession) -> Post:
        async def post(path: str, body: object) -> tuple[int, bytes]:
            async with session.post(
                url + path, data=orjson.dumps(body), ssl=self.ssl(), middlewares=(keep_origin,)
            ) as response:
                return response.status, await response.read()

        return post


ANYBODY = RegistryAccess()


def make_access(settings: RegistrySettings, clock: Clock | None = None) -> RegistryAccess:
    """Raises ValueError for files that have become unusable since the settings were read."""
    clock = clock or SystemClock()
    ca, certificate, key = settings.registry_ca_file, settings.registry_cert_file, settings.registry_key_file
    tls = TlsFiles(ca, certificate, key, clock) if ca or certificate else None
    credential: RegistryCredential | None = None
    if settings.registry_api_key_id and settings.registry_api_key_file:
        file = SecretFile(settings.registry_api_key_file, clock, shortest=1)
        credential = RegistryKeyCredential(settings.registry_api_key_id, file)
    elif isinstance(settings, ClusterRegistrySettings) and settings.registry_root_token_file:
        credential = RegistryRootCredential(
            SecretFile(settings.registry_root_token_file, clock, shortest=SHORTEST_TOKEN)
        )
    return RegistryAccess(credential, tls)


def check_authorized(url: str, action: str, code: int, words: str, name: str) -> None:
    """Raises RegistryUnauthorized for HTTP 401 and 403. `words`: the registry's own. `name`: of the credential."""
    if code not in UNAUTHORIZED:
        return
    REFUSED_CREDENTIALS.labels(str(code)).inc()
    says = words or f"HTTP {code}"
    if code == 403:
        why = f"{name} may not do this: {says}"
    else:
        why = f"it wants a credential: {says}" if name == NOBODY else f"it does not accept {name}: {says}"
    raise RegistryUnauthorized(f"registry {url}: {action}: {why}", code)
