"""Web pages of others must not use this API through the browser of somebody who can reach it. Pure.

Two ways are closed. A page of another site sends requests here: the browser says so in Sec-Fetch-Site, or in Origin,
which clients that are no browsers do not send. And a page lets the name of its own site stand for our address (DNS
rebinding): its requests then look like our own, but Host is that name.
"""

import re
from collections.abc import Collection, Mapping
from ipaddress import ip_address

from anka_shim.http.methods import SAFE

Headers = Mapping[bytes, bytes]
"""Of a request, by their names in small letters; of one that is repeated, the last."""

_OUR_OWN = (b"same-origin", b"none")
_HOST = re.compile(rb"(?P<name>\[[0-9A-Fa-f:.%]+\]|[^\[\]:/@\s]+)(?::\d{0,5})?")
_MOST_HOSTS = 256


def is_own_page(headers: Headers) -> bool:
    """Whether the browser says that a page of ours sends this. A browser sends its cookies with the requests of others'
    pages, too, so what says nothing is not believed."""
    site = headers.get(b"sec-fetch-site")
    if site:
        return site == b"same-origin"
    origin = headers.get(b"origin", b"")
    return bool(origin) and origin.partition(b"://")[2].lower() == headers.get(b"host", b"").lower()


class OriginPolicy:
    """`names`: by which clients reach us, `*.example.com` for all below a domain; any if empty. An address is no name:
    none can be made to stand for another."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names = frozenset(name for name in names if not name.startswith("*."))
        self._domains = tuple(name[1:] for name in names if name.startswith("*."))
        self._has_names = bool(names)
        self._accepted: set[bytes] = set()

    def refusal(self, method: str, headers: Headers, *, is_other_site_allowed: bool = False) -> str | None:
        """Why the request is refused, or None. On the way of every request: it compares bytes, and does no more.

        `is_other_site_allowed`: the page that sends it may use us; only our name is asked for."""
        host = headers.get(b"host", b"")
        if self._has_names and host not in self._accepted and not self._accept(host):
            return f"this API is not served as {_shown(host)} (--allowed-hosts)"
        if is_other_site_allowed:
            return None
        site = headers.get(b"sec-fetch-site")
        if site:
            is_link = headers.get(b"sec-fetch-mode") == b"navigate" and headers.get(b"sec-fetch-dest") == b"document"
            if site in _OUR_OWN or (method in SAFE and is_link):
                return None
            return "a page of another site must not use this API"
        origin = headers.get(b"origin")
        if origin and origin.partition(b"://")[2].lower() != host.lower():
            return f"a page of {_shown(origin)} must not use this API"
        return None

    def _accept(self, host: bytes) -> bool:
        """Whether this Host may be used; those that may are remembered."""
        if host and not self._is_ours(host):
            return False
        if len(self._accepted) < _MOST_HOSTS:
            self._accepted.add(host)
        return True

    def _is_ours(self, host: bytes) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match["name"].decode("ascii", "replace").lower().removesuffix(".")
        return name in self._names or name.endswith(self._domains) or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _shown(text: bytes) -> str:
    return repr(text[:100].decode("latin-1"))
