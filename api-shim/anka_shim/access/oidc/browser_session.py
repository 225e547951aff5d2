"""Who is logged in with a browser: a cookie that any replica can check. Nothing is stored, so a session outlives a
replica, and the provider is not asked again before it ends."""

import base64
import binascii
import secrets
import zlib
from collections.abc import Callable, Sequence
from http.cookies import CookieError

import orjson
from starlette.requests import cookie_parser

from anka_runtime.clock import Clock
from anka_shim.access.seal import NONCE_BYTES, Seal, close, reopen
from anka_shim.http.authentication import LoginMethod, Principal

SESSION_COOKIE = "__Host-anka-session"
"""By its prefix, a browser takes it over HTTPS only, and from this very host."""
LONGEST_COOKIE = 3800
"""Browsers take 4096 bytes, with name and attributes."""


class BrowserSessions:
    """`seal_keys`: gives the keys that seal, the one for new seals first."""

    def __init__(self, seal_keys: Callable[[], Sequence[bytes]], clock: Clock) -> None:
        self._seal_keys = seal_keys
        self._clock = clock

    def make(self, principal: Principal, until: int) -> str:
        """The cookie's value. ValueError if they have too many groups for one. `until`: seconds since 1970."""
        content = orjson.dumps([principal.name, sorted(principal.groups)])
        packed = base64.urlsafe_b64encode(zlib.compress(content, 9)).rstrip(b"=").decode()
        seal = Seal(secrets.token_bytes(NONCE_BYTES), until)
        value = f"{packed}.{close(seal, 'browser', (packed,), self._seal_keys()[0])}"
        if len(value) > LONGEST_COOKIE:
            raise ValueError(f"{len(principal.groups)} groups do not fit into a cookie")
        return value

    def authenticate(self, headers: Sequence[tuple[bytes, bytes]]) -> Principal | None:
        """None without such a cookie, for one that was not made here, and after its end."""
        value = read_cookie(headers, SESSION_COOKIE)
        packed, _, sealed = (value or "").partition(".")
        if reopen(sealed, "browser", (packed,), self._seal_keys(), self._clock.now().timestamp()) is None:
            return None
        try:
            padded = packed.encode("ascii") + b"=" * (-len(packed) % 4)
            name, groups = orjson.loads(zlib.decompress(base64.urlsafe_b64decode(padded)))
        except (binascii.Error, zlib.error, ValueError):
            return None
        return Principal(name, groups=frozenset(groups), method=LoginMethod.OIDC)


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
