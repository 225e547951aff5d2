from __future__ import annotations

import dns.message
import dns.query
import dns.rcode
import pytest

from localkube.errors import DevError
from localkube.pods.dns_server import DnsServer, answer

NAMES = {"rest.n.svc": ["127.1.1.1", "127.1.1.2"], "empty.n.svc": []}


def asked(name: str, kind: str = "A") -> tuple[str, list[str]]:
    """How it was answered, and with which addresses."""
    reply = dns.message.from_wire(answer(dns.message.make_query(name, kind).to_wire(), NAMES))
    return dns.rcode.to_text(reply.rcode()), sorted(str(item) for rrset in reply.answer for item in rrset)


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("rest.n.svc.cluster.local", "A", ("NOERROR", ["127.1.1.1", "127.1.1.2"])),
        ("Rest.N.svc.cluster.local", "A", ("NOERROR", ["127.1.1.1", "127.1.1.2"])),
        ("rest.n.svc.cluster.local", "AAAA", ("NOERROR", [])),
        ("empty.n.svc.cluster.local", "A", ("NXDOMAIN", [])),
        # Short names are made whole by the search list of who asks.
        ("rest.n.svc", "A", ("NXDOMAIN", [])),
        ("example.com", "A", ("NXDOMAIN", [])),
    ],
)
def test_names(name: str, kind: str, found: tuple[str, list[str]]) -> None:
    assert asked(name, kind) == found


def test_what_is_not_a_query() -> None:
    with pytest.raises(ValueError, match="not a DNS query"):
        answer(b"hello", NAMES)


def test_it_answers_what_is_so_now_and_survives_nonsense() -> None:
    query = dns.message.make_query("rest.n.svc.cluster.local", "A")
    with DnsServer("127.0.0.1", 0) as resolver:
        resolver.names = NAMES
        assert dns.query.udp(query, "127.0.0.1", 10, port=resolver.port).answer
        resolver.names = {}
        assert not dns.query.udp(query, "127.0.0.1", 10, port=resolver.port).answer


def test_a_port_that_somebody_has() -> None:
    with DnsServer("127.0.0.1", 0) as first, pytest.raises(DevError, match=f"UDP port {first.port} of 127.0.0.1"):
        DnsServer("127.0.0.1", first.port)
