"""Who may use the simulated registry: a root token, API keys, client certificates; each as the real one answers
(docs/reference/legacy-api.md#uak)."""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import ssl
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
UNAUTHENTICATED = b'{"status":"FAIL","message":"Authentication Required"}\n'
OPEN = frozenset({"/livez", "/readyz", "/tap/v1/hand", "/tap/v1/shake"})


@dataclass
class RegistryLogin:
    """What the registry demands; any of it is enough. `api_keys`: public keys (PEM) by id."""

    root_token: str = ""
    api_keys: Mapping[str, bytes] = field(default_factory=dict)
    certificates: bool = False
    sessions: dict[str, dict[str, str]] = field(default_factory=dict)
    """By session id; a test that empties it lets all expire."""
    handshakes: int = 0
    _secrets: dict[str, str] = field(default_factory=dict)

    @property
    def is_demanded(self) -> bool:
        return bool(self.root_token or self.api_keys or self.certificates)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/tap/v1/hand", self._hand)
        app.router.add_post("/tap/v1/shake", self._shake)

    def middleware(self) -> Middleware:
        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self.is_demanded or request.path in OPEN or self._admits(request):
                return await handler(request)
            return unauthenticated()

        return check

    def _admits(self, request: web.Request) -> bool:
        header = request.headers.get("Authorization")
        if header is None:
            tls = request.transport.get_extra_info("ssl_object") if request.transport else None
            return self.certificates and tls is not None and bool(tls.getpeercert())
        scheme, _, value = header.partition(" ")
        try:
            given = base64.b64decode(value, validate=True)
            if scheme.lower() == "basic":
                user, _, token = given.partition(b":")
                right = hmac.compare_digest(token, self.root_token.encode())
                return bool(self.root_token) and user in (b"root", b"") and right
            data = json.loads(given)
            return scheme.lower() == "bearer" and self.sessions.get(data["sessionId"]) == data
        except (ValueError, KeyError, TypeError):
            return False

    async def _hand(self, request: web.Request) -> web.Response:
        pem = self.api_keys.get((await _read(request)).get("id", ""))
        if pem is None:
            return unauthenticated()
        key = load_pem_public_key(pem)
        assert isinstance(key, RSAPublicKey)
        secret = secrets.token_urlsafe(20)
        self._secrets[secret] = (await _read(request))["id"]
        return web.Response(body=seal(key, secret), content_type="text/plain")

    async def _shake(self, request: web.Request) -> web.Response:
        body = await _read(request)
        key_id = self._secrets.pop(body.get("secret", ""), None)
        if key_id is None or key_id != body.get("id"):
            return unauthenticated()
        self.handshakes += 1
        data = {"userName": key_id, "sessionId": str(uuid.uuid4()), "token": secrets.token_urlsafe(40)}
        self.sessions[data["sessionId"]] = data
        return web.json_response({"id": key_id, "data": data})


def seal(key: RSAPublicKey, secret: str) -> bytes:
    return base64.b64encode(key.encrypt(secret.encode(), OAEP(MGF1(SHA256()), SHA256(), None)))


ANYBODY = RegistryLogin()


def unauthenticated() -> web.Response:
    return web.Response(status=401, body=UNAUTHENTICATED, content_type="application/json")


async def _read(request: web.Request) -> dict[str, str]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return {k: v for k, v in body.items() if isinstance(v, str)} if isinstance(body, dict) else {}


def make_tls(
    certificate: str | os.PathLike[str], key: str | os.PathLike[str], clients: str | os.PathLike[str] | None
) -> ssl.SSLContext:
    """`clients`: authorities whose certificates are asked for, not demanded: others log in otherwise."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def make_login(root_token_file: str | None, api_keys: list[str], *, certificates: bool) -> RegistryLogin:
    """`api_keys`: `ID=FILE` each. Raises OSError, and ValueError for what is none."""
    found = {}
    for one in api_keys:
        key_id, equals, path = one.partition("=")
        if not equals:
            raise ValueError(f"--api-key {one!r} is not ID=FILE")
        found[key_id] = Path(path).read_bytes()
    token = Path(root_token_file).read_text().strip() if root_token_file else ""
    return RegistryLogin(token, found, certificates=certificates)
