"""The cluster's DNS server: it knows the names of Services, and no others."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Mapping, Sequence
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from localkube.errors import DevError

PORT = 53
_TTL_SECONDS = 0
_ZONE = ".cluster.local"

Names = Mapping[str, Sequence[str]]
"""IPv4 addresses by ``name.namespace.svc``."""


def answer(query: bytes, names: Names) -> bytes:
    """The answer to a query, both in DNS wire format. ValueError for what is not a query."""
    try:
        message = dns.message.from_wire(query)
    except dns.exception.DNSException as error:
        raise ValueError(f"not a DNS query: {error}") from None
    reply = dns.message.make_response(message, recursion_available=True)
    reply.flags |= dns.flags.AA
    for question in message.question:
        name = question.name.to_text(omit_final_dot=True).lower()
        found = names.get(name.removesuffix(_ZONE)) if name.endswith(_ZONE) else None
        if not found:
            # As in a cluster: a headless Service without a ready pod has no name.
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.A:
            reply.answer.append(dns.rrset.from_text_list(question.name, _TTL_SECONDS, "IN", "A", list(found)))
    return reply.to_wire()


class DnsServer:
    """Answers by UDP at ``address``; a context manager. ``names`` may be replaced at any time.

    DevError when the port is taken."""

    def __init__(self, address: str, port: int = PORT) -> None:
        self.address = address
        self.names: Names = {}
        try:
            self._server = _Server((address, port), _Handler)
        except OSError as error:
            raise DevError(f"names of Services need UDP port {port} of {address}: {error.strerror}") from None
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="DNS server", daemon=True)

    def __enter__(self) -> DnsServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The UDP port on which it listens."""
        return int(self._server.server_address[1])


class _Server(socketserver.UDPServer):
    owner: DnsServer


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        query, socket = self.request
        try:
            reply = answer(query, cast(_Server, self.server).owner.names)
        except ValueError:
            return
        socket.sendto(reply, self.client_address)
