"""How proxies pass on the certificate that a client has proven to be its own (docs/operate/access.md). Pure.

Each overwrites the header that a client itself has sent; only the address of the proxy tells that it was one.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from typing import Literal
from urllib.parse import unquote_to_bytes

Headers = Iterable[tuple[bytes, bytes]]

CertificateHeader = Literal["nginx", "xfcc", "traefik", "rfc9440"]

_ARMOUR = re.compile(rb"-----BEGIN CERTIFICATE-----(?P<base64>[A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")
_BLANKS = re.compile(rb"\s+")
_FIELD = re.compile(rb'\s*(?P<name>[A-Za-z]+)=(?P<value>"(?:[^"\\]|\\.)*"|[^",;]*)\s*(?P<end>[;,]|$)')
"""A part of X-Forwarded-Client-Cert, with what follows it."""
_ESCAPED = re.compile(rb"\\(.)")
_BINARY = re.compile(rb":(?P<base64>[A-Za-z0-9+/]*={0,2}):")
"""A byte sequence of RFC 8941, 3.3.5."""


def find_certificate(kind: CertificateHeader, headers: Headers) -> bytes | None:
    """In DER; None if the client has shown none. ValueError for what cannot be read, or is there more than once."""
    return _READERS[kind](headers)


def _read_nginx(headers: Headers) -> bytes | None:
    """`auth-tls-pass-certificate-to-upstream` of ingress-nginx; docs/reference/legacy-api.md#mtls."""
    headers = list(headers)
    verdict, certificate = _find_one(headers, b"ssl-client-verify"), _find_one(headers, b"ssl-client-cert")
    if verdict in (None, b"", b"NONE"):
        return None
    if verdict != b"SUCCESS":
        raise ValueError("the proxy did not verify it: Ssl-Client-Verify is not SUCCESS")
    if not certificate:
        raise ValueError("the proxy passes on none: it needs auth-tls-pass-certificate-to-upstream")
    return _parse_pem(unquote_to_bytes(certificate))


def _read_xfcc(headers: Headers) -> bytes | None:
    """Envoy's. Each proxy appends an element: the last is that of the one before us."""
    last = _last_element(b",".join(value for name, value in headers if name == b"x-forwarded-client-cert"))
    if not last:
        return None
    certificate = last.get(b"cert") or last.get(b"chain")
    if not certificate:
        raise ValueError("the proxy passes on none: it needs set_current_client_cert_details with cert")
    return _parse_pem(unquote_to_bytes(certificate))


def _last_element(text: bytes) -> dict[bytes, bytes]:
    """Names in small letters, with values. ValueError for what is not so."""
    element: dict[bytes, bytes] = {}
    place = 0
    while place < len(text):
        match = _FIELD.match(text, place)
        if match is None:
            raise ValueError("X-Forwarded-Client-Cert cannot be read")
        name, value = match["name"].lower(), match["value"]
        if name in element and name in (b"cert", b"chain"):
            raise ValueError("X-Forwarded-Client-Cert has two certificates in one element")
        element[name] = _ESCAPED.sub(rb"\1", value[1:-1]) if value[:1] == b'"' else value
        place = match.end()
        if match["end"] == b"," and place < len(text):
            element = {}
    return element


def _read_traefik(headers: Headers) -> bytes | None:
    """Base64 without armour and line breaks; of a chain, the first. Version 2 escapes it as in a URL."""
    value = _find_one(headers, b"x-forwarded-tls-client-cert")
    if not value:
        return None
    return _decode(unquote_to_bytes(value).partition(b",")[0])


def _read_rfc9440(headers: Headers) -> bytes | None:
    value = _find_one(headers, b"client-cert")
    if value is None:
        return None
    match = _BINARY.fullmatch(value.strip())
    if match is None:
        raise ValueError("Client-Cert must be base64 between colons (RFC 9440)")
    return _decode(match["base64"])


_READERS: dict[CertificateHeader, Callable[[Headers], bytes | None]] = {
    "nginx": _read_nginx,
    "xfcc": _read_xfcc,
    "traefik": _read_traefik,
    "rfc9440": _read_rfc9440,
}


def _find_one(headers: Headers, name: bytes) -> bytes | None:
    found = [value for one, value in headers if one == name]
    if len(found) > 1:
        raise ValueError(f"{name.decode()} is there more than once")
    return found[0] if found else None


def _parse_pem(text: bytes) -> bytes:
    """The first certificate of it."""
    match = _ARMOUR.search(text)
    if match is None:
        raise ValueError("the proxy passes on something that is not PEM")
    return _decode(_BLANKS.sub(b"", match["base64"]))


def _decode(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("the proxy passes on something that is not base64") from None
