"""What each proxy sends, and what it might be made to send."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.access.certificate_header import CertificateHeader, find_certificate
from support.client_authority import ClientAuthority

GOOD = ClientAuthority().issue(("CN", "jenkins"), ("O", "Mobile"))
OTHER = ClientAuthority().issue(("CN", "other"), ("O", "Mobile"))
PEM, OTHER_PEM = quote(GOOD.pem, safe=""), quote(OTHER.pem, safe="")
BASE64, OTHER_BASE64 = base64.b64encode(GOOD.der).decode(), base64.b64encode(OTHER.der).decode()

KINDS: tuple[CertificateHeader, ...] = ("nginx", "xfcc", "traefik", "rfc9440")


def read(kind: CertificateHeader, *headers: tuple[str, str]) -> bytes | None:
    return find_certificate(kind, [(name.lower().encode(), value.encode("latin-1")) for name, value in headers])


VERIFIED = ("Ssl-Client-Verify", "SUCCESS")
XFCC = "X-Forwarded-Client-Cert"
TRAEFIK = "X-Forwarded-Tls-Client-Cert"


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("nginx", [VERIFIED, ("Ssl-Client-Cert", PEM)]),
        ("nginx", [VERIFIED, ("Ssl-Client-Cert", PEM), ("Ssl-Client-Subject-Dn", "CN=admin")]),
        ("xfcc", [(XFCC, f'By=spiffe://x/y;Hash=abc;Cert="{PEM}";Subject="CN=a;b,\\"c\\"";URI=')]),
        ("xfcc", [(XFCC, f"cert={PEM}")]),
        ("xfcc", [(XFCC, f'Hash=1;Chain="{PEM}{OTHER_PEM}"')]),
        ("xfcc", [(XFCC, f'Hash=1;Cert="{OTHER_PEM}", Hash=2;Cert="{PEM}"')]),
        ("xfcc", [(XFCC, f'Hash=1;Cert="{OTHER_PEM}"'), (XFCC, f'Hash=2;Cert="{PEM}"')]),
        ("traefik", [(TRAEFIK, BASE64)]),
        ("traefik", [(TRAEFIK, quote(BASE64, safe=""))]),
        ("traefik", [(TRAEFIK, f"{BASE64},{OTHER_BASE64}")]),
        ("traefik", [(TRAEFIK, quote(f"{BASE64},{OTHER_BASE64}", safe=""))]),
        ("rfc9440", [("Client-Cert", f":{BASE64}:")]),
        ("rfc9440", [("Client-Cert", f":{BASE64}:"), ("Client-Cert-Chain", f":{OTHER_BASE64}:")]),
    ],
)
def test_the_certificate_of_the_client(kind: CertificateHeader, headers: list[tuple[str, str]]) -> None:
    assert read(kind, *headers) == GOOD.der
    others = [other for other in KINDS if other != kind]
    assert all(read(other, *headers) is None for other in others), "a proxy of one kind passes on the headers of others"


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        *((kind, []) for kind in KINDS),
        ("nginx", [("Ssl-Client-Verify", "NONE")]),
        ("nginx", [("Ssl-Client-Cert", PEM)]),
        ("xfcc", [(XFCC, "")]),
        ("traefik", [(TRAEFIK, "")]),
    ],
)
def test_a_client_without_one(kind: CertificateHeader, headers: list[tuple[str, str]]) -> None:
    assert read(kind, *headers) is None


@pytest.mark.parametrize(
    ("kind", "headers", "told"),
    [
        ("nginx", [("Ssl-Client-Verify", "FAILED:expired"), ("Ssl-Client-Cert", PEM)], "did not verify it"),
        ("nginx", [("Ssl-Client-Verify", "success"), ("Ssl-Client-Cert", PEM)], "did not verify it"),
        ("nginx", [VERIFIED], "auth-tls-pass-certificate-to-upstream"),
        ("nginx", [VERIFIED, VERIFIED, ("Ssl-Client-Cert", PEM)], "more than once"),
        ("nginx", [VERIFIED, ("Ssl-Client-Cert", PEM), ("Ssl-Client-Cert", PEM)], "more than once"),
        ("nginx", [VERIFIED, ("Ssl-Client-Cert", "nothing")], "not PEM"),
        ("xfcc", [(XFCC, 'Hash=1;Subject="CN=admin"')], "needs set_current_client_cert_details"),
        ("xfcc", [(XFCC, f'Cert="{PEM}",Hash=1')], "needs set_current_client_cert_details"),
        ("xfcc", [(XFCC, f'Cert="{PEM}";Cert="{OTHER_PEM}"')], "two certificates"),
        ("xfcc", [(XFCC, f'Cert="{PEM}')], "cannot be read"),
        ("xfcc", [(XFCC, f'Cert="{PEM}" x')], "cannot be read"),
        ("xfcc", [(XFCC, "\xe9")], "cannot be read"),
        ("traefik", [(TRAEFIK, "no base64")], "not base64"),
        ("traefik", [(TRAEFIK, BASE64), (TRAEFIK, BASE64)], "more than once"),
        ("rfc9440", [("Client-Cert", BASE64)], "base64 between colons"),
        ("rfc9440", [("Client-Cert", f":{BASE64}:, :{BASE64}:")], "base64 between colons"),
        ("rfc9440", [("Client-Cert", ":abcde:")], "not base64"),
        ("rfc9440", [("Client-Cert", f":{BASE64}:"), ("Client-Cert", f":{BASE64}:")], "more than once"),
    ],
)
def test_what_cannot_be_read(kind: CertificateHeader, headers: list[tuple[str, str]], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(kind, *headers)


HEADERS = ("ssl-client-verify", "ssl-client-cert", XFCC.lower(), TRAEFIK.lower(), "client-cert")
WORDS = st.sampled_from([PEM, BASE64, "SUCCESS", "Cert=", 'Cert="', '"', "\\", ";", ",", ":", "%2C", "%", "="])


@given(
    st.sampled_from(KINDS),
    st.lists(st.tuples(st.sampled_from(HEADERS), st.lists(WORDS | st.text(max_size=3), max_size=6).map("".join))),
)
def test_any_header_is_read_or_refused(kind: CertificateHeader, headers: list[tuple[str, str]]) -> None:
    packed = [(name.encode(), value.encode("utf-8", "surrogatepass")) for name, value in headers]
    try:
        found = find_certificate(kind, packed)
    except ValueError:
        return
    assert found is None or isinstance(found, bytes)
