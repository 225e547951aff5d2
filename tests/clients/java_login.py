"""How `com.veertu.ankaMgmtSdk` logs in: by an API key before each single request, or by OIDC's client credentials."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from clients.credential import Credential, OidcClient, UserKey, basic
from clients.failing import Reported
from clients.java import JSONException, JSONObject, encoded
from clients.pace import Pace
from clients.wire import NETWORK_ERRORS, Reply, Wire

TRIES = 3
STANDARD_CLAIMS = frozenset({"name", "given_name", "family_name", "nickname", "preferred_username", "profile"})

Login = Callable[[], str]
"""The Authorization header of the next request. Raises Reported."""


def make_login(url: str, credential: Credential, pace: Pace, timeout: float) -> Login | None:
    if credential.key is not None:
        return KeyLogin(Wire(url, timeout=timeout, tls=credential.tls), credential.key)
    if credential.oidc is not None:
        return OidcLogin(Wire(url, timeout=timeout, tls=credential.tls), credential.oidc, pace, timeout)
    return None


class KeyLogin:
    """Hand and shake for each request: nothing is kept. Only the first of several controller URLs works."""

    def __init__(self, wire: Wire, key: UserKey) -> None:
        self._wire = wire
        self._key = key
        self.handshakes = 0

    def __call__(self) -> str:
        hand = self._post("/tap/v1/hand", {"id": self._key.id})
        try:
            # java.util.Base64's decoder refuses a newline and the URL-safe alphabet.
            secret = self._key.decrypt(base64.b64decode(hand.raw, validate=True))
        except (binascii.Error, ValueError) as error:
            raise Reported(f"the hand's answer is of no use: {error}") from None
        shake = self._post("/tap/v1/shake", {"id": self._key.id, "secret": secret})
        data = JSONObject.parse(shake.raw).get_object("data")
        session = {name: data.get_string(name) for name in ("userName", "sessionId", "token")}
        self.handshakes += 1
        return f"Bearer {base64.b64encode(json.dumps(session).encode()).decode()}"

    def _post(self, target: str, body: dict[str, str]) -> Reply:
        raw = encoded(body)
        headers = [
            ("Content-Type", "application/json"), ("Content-Length", str(len(raw))), ("Host", self._wire.host),
        ]  # fmt: skip
        trouble: object = None
        for _ in range(TRIES):
            try:
                reply = self._wire.send("POST", target, headers, raw)
            except NETWORK_ERRORS as error:
                trouble = error
                continue
            if reply.code < 400:
                return reply
            if reply.code < 500:
                raise Reported(f"HTTP {reply.code} for POST {target}")
            trouble = f"HTTP {reply.code}"
        raise Reported(f"POST {target}: {trouble}")


class OidcLogin:
    """The token is kept until it ends."""

    def __init__(self, wire: Wire, client: OidcClient, pace: Pace, timeout: float) -> None:
        self._wire = wire
        self._client = client
        self._pace = pace
        self._timeout = timeout
        self._token = ""
        self._until = 0.0
        self.tokens = 0

    def __call__(self) -> str:
        if self._pace.now() >= self._until:
            self._renew()
        return f"Bearer {self._token}"

    def _renew(self) -> None:
        oidc = self._get(self._wire, "/config/v1/auth").get_object("body").get_object("oidc")
        claims = [oidc.get_string("user_name_field"), oidc.get_string("groups_field")]
        scopes = ["profile"] if not STANDARD_CLAIMS.isdisjoint(claims) else []
        scopes += [claim for claim in claims if claim not in STANDARD_CLAIMS]
        provider = urlsplit(oidc.get_string("provider_url"))
        wire = Wire(f"{provider.scheme}://{provider.netloc}", timeout=self._timeout)
        found = self._get(wire, f"{provider.path}/.well-known/openid-configuration")
        form = urlencode({"grant_type": "client_credentials", "scope": " ".join(scopes)}).encode()
        headers = [
            ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(len(form))),
            ("Authorization", basic(self._client.id, self._client.secret)), ("Host", wire.host),
        ]  # fmt: skip
        reply = wire.send("POST", urlsplit(found.get_string("token_endpoint")).path, headers, form)
        wire.close()
        if reply.code != 200:
            raise Reported(f"the provider answers HTTP {reply.code}")
        answer = JSONObject.parse(reply.raw)
        self._token = answer.get_string("access_token")
        self._until = self._pace.now() + answer.get_int("expires_in")
        self.tokens += 1

    def _get(self, wire: Wire, target: str) -> JSONObject:
        """Goes on without a pause while it is 5xx: here so often, and then it fails."""
        for _ in range(TRIES):
            reply = wire.send("GET", target, [("Host", wire.host)])
            if reply.code < 500:
                return JSONObject.parse(reply.raw)
        raise JSONException(f"{target} answers HTTP {reply.code}: the plugin would ask again for ever")
