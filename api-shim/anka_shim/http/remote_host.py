"""The machine at the other end of a connection: a client, or a proxy that passes on what clients say."""

from dataclasses import dataclass

from starlette.types import Scope

REMOTE_HOST = "anka.remote_host"
"""Key in the ASGI scope under which a RemoteHost is found: `client` there may be what a proxy tells."""


@dataclass(frozen=True, slots=True)
class RemoteHost:
    """`certificate`: in DER, which it has proven to be its own; None without one, or without TLS."""

    address: str = ""
    certificate: bytes | None = None


UNKNOWN_HOST = RemoteHost()


def remote_host(scope: Scope) -> RemoteHost:
    found: RemoteHost = scope.get(REMOTE_HOST, UNKNOWN_HOST)
    return found
