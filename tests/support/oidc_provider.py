"""An OpenID Connect provider over real HTTP, which signs for real; and forgers of its tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwk, jws

from support.rsa_keys import PRIVATE

Json = dict[str, Any]

RSA = jwk.RSAKey.import_key(PRIVATE, {"kid": "rsa", "use": "sig"})
KEYS: dict[str, jwk.Key] = {
    "RS256": RSA,
    "PS256": RSA,
    "ES256": jwk.ECKey.generate_key("P-256", {"kid": "ec"}),
    "EdDSA": jwk.OKPKey.generate_key("Ed25519", {"kid": "ed"}),
}
OTHER = jwk.ECKey.generate_key("P-256", {"kid": "other"})


class OidcProviderServer:
    """`url`: its issuer. `requests`: the paths that were asked for."""

    def __init__(self) -> None:
        self.keys: list[jwk.Key] = [*{id(key): key for key in KEYS.values()}.values()]
        self.url = ""
        self.issuer = ""
        self.requests: list[str] = []
        self.is_away = False
        self.codes: dict[str, Json] = {}
        self.machines: dict[str, str] = {}

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Self]:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._configuration)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/token", self._token)
        server = TestServer(app)
        await server.start_server()
        self.url = self.issuer = str(server.make_url("")).rstrip("/")
        try:
            yield self
        finally:
            await server.close()

    def claims(self, now: float, **changed: Any) -> Json:
        """Of a good token; None leaves one out."""
        good = {
            "iss": self.issuer, "aud": "anka", "sub": "1", "name": "Ada", "groups": ["ios", "mac team"],
            "iat": int(now), "exp": int(now) + 300,
        }  # fmt: skip
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    async def _configuration(self, request: web.Request) -> web.Response:
        return self._answer(request, {
                "issuer": self.issuer, "jwks_uri": f"{self.url}/keys",
                "authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token",
            })  # fmt: skip

    def grant(self, url: str, claims: Json) -> str:
        """What a person does there who is sent to `url`: the query with which the browser comes back."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert url.startswith(f"{self.url}/authorize?")
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked | {"id_token": sign({"nonce": asked["nonce"], **claims})}
        return urlencode({"code": code, "state": asked["state"]})

    async def _token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        if form.get("grant_type") == "client_credentials":
            return self._machine(request, str(form.get("scope")))
        asked = self.codes.pop(str(form.get("code")), None)
        proof = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        secret = base64.b64encode(b"anka:client+secret%2F").decode()
        if (
            asked is None
            or asked["code_challenge"] != _encode(proof)
            or asked["redirect_uri"] != form.get("redirect_uri")
            or request.headers.get("Authorization") != f"Basic {secret}"
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        return self._answer(request, {"id_token": asked["id_token"], "access_token": "opaque", "expires_in": 600})

    def _machine(self, request: web.Request, scope: str) -> web.Response:
        """A token of a machine in `machines`, by its Authorization header."""
        name = self.machines.get(request.headers.get("Authorization", ""))
        if name is None:
            return web.json_response({"error": "invalid_client"}, status=401)
        groups = ["ci"] if "groups" in scope.split() else None
        claims = self.claims(time.time(), aud=name, name=name if "profile" in scope.split() else None, groups=groups)
        return self._answer(request, {"access_token": sign(claims), "token_type": "bearer", "expires_in": 300})

    async def _keys(self, request: web.Request) -> web.Response:
        return self._answer(request, {"keys": [key.as_dict(private=False) for key in self.keys]})

    def _answer(self, request: web.Request, body: Json) -> web.Response:
        self.requests.append(request.path)
        return web.Response(status=503) if self.is_away else web.json_response(body)


def sign(claims: Json, algorithm: str = "RS256", key: jwk.Key | None = None, **header: Any) -> str:
    """A header field of None is left out."""
    key = key or KEYS[algorithm]
    fields = {"alg": algorithm, "kid": key.kid, "typ": "JWT", **header}
    shown = {name: value for name, value in fields.items() if value is not None}
    content = f"{_pack(shown)}.{_pack(claims)}"
    return f"{content}.{_encode(jws.JWSRegistry.algorithms[algorithm].sign(content.encode(), key))}"


def unsigned(claims: Json, algorithm: str = "none") -> str:
    head, body = _pack({"alg": algorithm, "kid": "rsa"}), _pack(claims)
    return f"{head}.{body}.AA"


def signed_with_public_key(claims: Json) -> str:
    """HS256, as if the public key were a secret."""
    head = f"{_pack({'alg': 'HS256', 'kid': 'rsa'})}.{_pack(claims)}"
    secret = RSA.as_pem(private=False)
    return f"{head}.{_encode(hmac.digest(secret, head.encode(), hashlib.sha256))}"


def _pack(data: Json) -> str:
    return _encode(json.dumps(data).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
