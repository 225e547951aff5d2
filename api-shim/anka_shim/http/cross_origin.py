"""Pages of other sites that may use this API (CORS), where `--allow-cors` names their origins. Pure.

The browser asks first, without credentials, whether a page may send what it wants to: that question never needs a
login. What the page then sends has an Authorization header of its own: the cookies of a person who is logged in here
are no credentials of that page."""

import re
from collections.abc import Collection, Iterable

from anka_shim.http.envelope import Envelope, ok
from anka_shim.http.origin import Headers

RawHeaders = list[tuple[bytes, bytes]]

PREFLIGHT_SECONDS = 600
"""How long a browser may remember the answer."""
_EXPOSED = b"X-Request-Id, Retry-After"
_VARY = (b"vary", b"Origin")
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)(:[0-9]{1,5})?")


def parse_origins(text: str) -> frozenset[str]:
    """Origins with commas between them, as browsers send them. Raises ValueError. There is no word for all of them: any
    page that somebody opens could then use the API through that browser."""
    origins = frozenset(entry for part in text.split(",") if (entry := part.strip().lower()))
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError("must be origins, such as https://portal.example.com, with commas between them")
    return origins


class CrossOriginPolicy:
    """`origins`: those whose pages may use this API, in small letters."""

    def __init__(self, origins: Collection[str] = ()) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)
        self.is_on = bool(self._origins)

    def find_origin(self, headers: Headers) -> bytes | None:
        """The origin of the page that sends the request, if it may."""
        origin = headers.get(b"origin")
        return origin if origin is not None and origin.lower() in self._origins else None

    def answer_headers(self, origin: bytes | None) -> RawHeaders:
        """For every answer while the policy is on: caches must know that it depends on the origin."""
        if origin is None:
            return [_VARY]
        return [_VARY, (b"access-control-allow-origin", origin), (b"access-control-expose-headers", _EXPOSED)]


def without_cookies(headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    return [(name, value) for name, value in headers if name != b"cookie"]


def is_preflight(method: str, headers: Headers) -> bool:
    return method == "OPTIONS" and b"access-control-request-method" in headers


def answer_preflight() -> Envelope:
    """What a page may send: nothing by which a proxy would speak for somebody."""
    answer = ok()
    answer.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT, DELETE"
    answer.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-Request-Id"
    answer.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return answer
