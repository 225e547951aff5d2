"""What a request carries in its Authorization header. Pure."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

MAX_CREDENTIAL = 49_152
"""Longest header that is looked at: a token with 500 groups may have 40 kilobytes."""


@dataclass(frozen=True, slots=True)
class BasicCredential:
    user: str
    password: bytes


@dataclass(frozen=True, slots=True)
class BearerCredential:
    token: str


Credential = BasicCredential | BearerCredential


def find_header(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The Authorization header; None without one. Two are none that can be used: ValueError."""
    found = [value for name, value in headers if name == b"authorization"]
    if len(found) > 1:
        raise ValueError("more than one Authorization header")
    return found[0] if found else None


def parse(header: bytes) -> Credential:
    """ValueError for what is neither Basic nor Bearer. The names of schemes have no case (RFC 9110, 11.1)."""
    if len(header) > MAX_CREDENTIAL:
        raise ValueError("too long")
    scheme, _, value = header.partition(b" ")
    value = value.strip()
    match scheme.lower():
        case b"basic":
            return _parse_basic(value)
        case b"bearer" if value:
            return BearerCredential(value.decode("ascii"))
    raise ValueError("neither Basic nor Bearer")


def _parse_basic(value: bytes) -> BasicCredential:
    """The user is all up to the first colon (RFC 7617)."""
    try:
        decoded = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    user, colon, password = decoded.partition(b":")
    if not colon:
        raise ValueError("no colon between user and password")
    return BasicCredential(user.decode("utf-8"), password)
