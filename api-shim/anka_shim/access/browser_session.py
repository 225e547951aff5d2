"""Who is logged in with a browser: a cookie that any replica can check. Nothing is stored, so a session outlives a
replica; and no session says more than how somebody logged in. What else they were then is asked at each use: a root
token that has changed, an API key that is gone, a token that the cluster no longer knows end it at once."""

import base64
import binascii
import secrets
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from http.cookies import CookieError
from typing import Any

import orjson
from starlette.requests import cookie_parser
from starlette.responses import Response

from anka_runtime.clock import Clock
from anka_shim.access.api_keys import ApiKeyCatalog, principal_of
from anka_shim.access.encryption import decrypt_token, encrypt_token
from anka_shim.access.kubernetes.token_review import TokenReviewAuthenticator
from anka_shim.access.root_token import ROOT, RootTokenCredential
from anka_shim.access.seal import NONCE_BYTES, Seal, close, reopen
from anka_shim.access.unverified_token import parse_unverified
from anka_shim.http.authentication import LoginMethod, Principal

SESSION_COOKIE = "__Host-anka-session"
"""By its prefix, a browser takes it over HTTPS only, and from this very host."""
LONGEST_COOKIE = 3800
"""Browsers take 4096 bytes, with name and attributes."""
LONGEST_SESSION_SECONDS = 43_200
_LONGEST_CONTENT = 65_536
"""Of a cookie that is unpacked."""


class BrowserSessions:
    """`seal_keys`: gives the keys that seal, the one for new seals first. `root`, `api_keys`, `tokens`: None where
    nobody logs in so. `tokens`: of the cluster."""

    def __init__(
        self,
        seal_keys: Callable[[], Sequence[bytes]],
        clock: Clock,
        *,
        root: RootTokenCredential | None = None,
        api_keys: ApiKeyCatalog | None = None,
        tokens: TokenReviewAuthenticator | None = None,
    ) -> None:
        self._seal_keys = seal_keys
        self._clock = clock
        self._root = root
        self._api_keys = api_keys
        self._tokens = tokens

    def make(self, principal: Principal, until: int, token: str = "") -> str:
        """The cookie's value. ValueError, with the reason, if there can be none. `until`: seconds since 1970. `token`:
        with which they have logged in, if it is one of the cluster."""
        key = self._seal_keys()[0]
        content: list[Any] = [principal.method or ""]
        match principal.method:
            case LoginMethod.OIDC:
                content += [principal.name, sorted(principal.groups)]
            case LoginMethod.API_KEY:
                found = self._api_keys.find(principal.name) if self._api_keys is not None else None
                if found is None:
                    raise ValueError("the API key is gone")
                content += [found.spec.id, found.metadata.uid]
            case LoginMethod.KUBERNETES:
                content.append(encrypt_token(token, key))
            case LoginMethod.ROOT:
                pass
            case _:
                raise ValueError("who has logged in like this needs no session")
        packed = base64.urlsafe_b64encode(zlib.compress(orjson.dumps(content), 9)).rstrip(b"=").decode()
        seal = Seal(secrets.token_bytes(NONCE_BYTES), until)
        value = f"{packed}.{close(seal, 'browser', (packed, self._fact(principal.method)), key)}"
        if len(value) > LONGEST_COOKIE:
            what = "the token is" if token else f"{len(principal.groups)} groups are"
            raise ValueError(f"{what} too long for a cookie")
        return value

    async def authenticate(self, headers: Sequence[tuple[bytes, bytes]]) -> Principal | None:
        """None without such a cookie, for one that was not made here, and after its end. Raises Failure while nobody
        can say."""
        value = read_cookie(headers, SESSION_COOKIE)
        packed, _, sealed = (value or "").partition(".")
        content = _unpack(packed) if sealed else []
        method = content[0] if content and isinstance(content[0], str) else None
        now = self._clock.now().timestamp()
        seal = reopen(sealed, "browser", (packed, self._fact(method)), self._seal_keys(), now)
        if seal is None:
            return None
        principal = await self._find(content)
        return None if principal is None else replace(principal, expires=seal.until)

    async def _find(self, content: list[Any]) -> Principal | None:
        """Who it is now. `content` was made here."""
        match content:
            case [LoginMethod.OIDC, name, groups]:
                return Principal(name, groups=frozenset(groups), method=LoginMethod.OIDC)
            case [LoginMethod.ROOT] if self._root is not None:
                return ROOT
            case [LoginMethod.API_KEY, id_, uid] if self._api_keys is not None:
                key = self._api_keys.find(id_)
                return principal_of(key) if key is not None and key.metadata.uid == uid else None
            case [LoginMethod.KUBERNETES, encrypted] if self._tokens is not None:
                token = parse_unverified(decrypt_token(encrypted, self._seal_keys()) or "")
                return await self._tokens.authenticate(token) if token is not None else None
        return None

    def _fact(self, method: str | None) -> str:
        """What a seal vouches for beside the content, and what ends it when it changes."""
        return self._root.fingerprint() if method == LoginMethod.ROOT and self._root is not None else ""


def set_cookie(answer: Response, name: str, value: str, seconds: int) -> None:
    """One that no script reads, and that other sites' pages do not send but by a link."""
    answer.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def read_cookie(headers: Sequence[tuple[bytes, bytes]], name: str) -> str | None:
    """The first one of this name."""
    for header, value in headers:
        if header == b"cookie":
            try:
                found = cookie_parser(value.decode("latin-1")).get(name)
            except CookieError:
                continue
            if found:
                return found
    return None


def _unpack(packed: str) -> list[Any]:
    """Of anybody's making: empty for what is none. It is looked at before its seal, which depends on it."""
    try:
        data = base64.urlsafe_b64decode(packed.encode("ascii") + b"=" * (-len(packed) % 4))
        content = orjson.loads(zlib.decompressobj().decompress(data, _LONGEST_CONTENT))
    except (binascii.Error, zlib.error, ValueError):
        return []
    return content if isinstance(content, list) else []
