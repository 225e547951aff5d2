"""Which certificates count, and which do not."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.access.authorities import LONGEST_CERTIFICATE, Authorities, CertificateRefused
from support.client_authority import DAY, LONG_AGO, NOW, ClientAuthority, Issued, name

SUBJECT = (("CN", "jenkins"), ("O", "Mobile"))
OURS = ClientAuthority()
GOOD = OURS.issue(*SUBJECT)

Extensions = list[tuple[x509.ExtensionType, bool]]


def usages(*purposes: x509.ObjectIdentifier) -> Extensions:
    return [(x509.ExtendedKeyUsage(purposes), False)]


def refusal(authorities: Authorities, issued: Issued, now: datetime.datetime = NOW) -> str | None:
    try:
        authorities.authenticate(issued.der, now)
    except CertificateRefused as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: GOOD, None),
        (lambda: OURS.issue(*SUBJECT, extensions=usages(ExtendedKeyUsageOID.CLIENT_AUTH)), None),
        (lambda: OURS.issue(*SUBJECT, extensions=usages(ExtendedKeyUsageOID.SERVER_AUTH)), "is not for clients"),
        (lambda: OURS.issue(*SUBJECT, extensions=[(x509.InhibitAnyPolicy(0), True)]), "critical extension"),
        (lambda: OURS.issue(*SUBJECT, valid=(NOW - 2 * DAY, NOW - DAY)), "it has expired"),
        (lambda: OURS.issue(*SUBJECT, valid=(NOW + DAY, NOW + 2 * DAY)), "it is not valid yet"),
        (lambda: ClientAuthority().issue(*SUBJECT), "none of our authorities has signed it"),
        (lambda: ClientAuthority(subject=name(("CN", "x"))).issue(*SUBJECT), "none of our authorities has signed it"),
        (lambda: OURS.issue(("CN", "jenkins")), "must have an O"),
    ],
)
def test_which_certificates_count(make: Callable[[], Issued], told: str | None) -> None:
    said = refusal(Authorities(OURS.pem), make())
    assert said is None if told is None else told in (said or "")


def test_several_authorities_also_with_the_same_name() -> None:
    other = ClientAuthority()
    both = Authorities(other.pem + OURS.pem)
    assert refusal(both, GOOD) is None
    assert refusal(both, other.issue(*SUBJECT)) is None


def test_time_passes() -> None:
    authorities = Authorities(OURS.pem)
    assert refusal(authorities, GOOD) is None
    assert refusal(authorities, GOOD, NOW + 31 * DAY) == "it has expired"
    assert refusal(authorities, GOOD, NOW + 3651 * DAY) == "it has expired"
    long = OURS.issue(*SUBJECT, valid=(LONG_AGO, NOW + 9999 * DAY))
    assert refusal(authorities, long, NOW + 3651 * DAY) == "its authority has expired"


def test_what_is_revoked() -> None:
    revoked = OURS.issue(*SUBJECT)
    authorities = Authorities(OURS.pem, OURS.revoke(revoked))
    assert refusal(authorities, GOOD) is None
    assert refusal(authorities, revoked) == "it is revoked"
    assert authorities.lists_until == (NOW + 30 * DAY).replace(microsecond=0)


def test_a_list_that_is_out_of_date_lets_nobody_in() -> None:
    authorities = Authorities(OURS.pem, OURS.revoke(until=NOW + DAY))
    assert refusal(authorities, GOOD) is None
    told = "the list of what its authority has revoked is out of date"
    assert refusal(authorities, GOOD, NOW + 2 * DAY) == told


def test_each_authority_needs_a_list() -> None:
    other = ClientAuthority(subject=name(("CN", "Other")))
    authorities = Authorities(OURS.pem + other.pem, OURS.revoke())
    assert refusal(authorities, GOOD) is None
    assert refusal(authorities, other.issue(*SUBJECT)) == "there is no list of what its authority has revoked"


def test_the_newest_list_counts() -> None:
    revoked = OURS.issue(*SUBJECT)
    old, new = OURS.revoke(since=NOW - 2 * DAY), OURS.revoke(revoked, since=NOW - DAY)
    for lists in (old + new, new + old):
        assert refusal(Authorities(OURS.pem, lists), revoked) == "it is revoked"


def _partial(**said: bool) -> x509.IssuingDistributionPoint:
    values = {
        "only_contains_user_certs": False, "only_contains_ca_certs": False, "indirect_crl": False,
        "only_contains_attribute_certs": False, **said,
    }  # fmt: skip
    return x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier("http://x")], relative_name=None, only_some_reasons=None, **values
    )


@pytest.mark.parametrize(
    ("certificates", "lists", "told"),
    [
        (b"", None, "must have certificates in PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None, "must have certificates in PEM"),
        (GOOD.pem, None, "is not an authority"),
        (
            ClientAuthority(constraints=x509.BasicConstraints(ca=False, path_length=None)).pem,
            None,
            "CN=Authority,O=Tests is not an authority",
        ),
        (
            ClientAuthority(constraints=x509.NameConstraints([x509.DNSName("x")], None)).pem,
            None,
            "has name constraints, which are not supported",
        ),
        (OURS.pem, b"", "must have revocation lists"),
        (OURS.pem, OURS.pem, "must have revocation lists"),
        (OURS.pem, b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "must have revocation lists"),
        (OURS.pem, ClientAuthority().revoke(), "the list of CN=Authority,O=Tests is signed by none"),
        (OURS.pem, OURS.revoke(extension=x509.DeltaCRLIndicator(1)), "must be a whole one"),
        (OURS.pem, OURS.revoke(extension=_partial(indirect_crl=True)), "must be a whole one"),
        (OURS.pem, OURS.revoke(extension=_partial(only_contains_ca_certs=True)), "must be a whole one"),
        (OURS.pem, OURS.revoke(extension=_partial(only_contains_user_certs=True)), None),
    ],
)
def test_files_that_cannot_be_used(certificates: bytes, lists: bytes | None, told: str | None) -> None:
    if told is None:
        Authorities(certificates, lists)
        return
    with pytest.raises(ValueError, match=told):
        Authorities(certificates, lists)


OUR_AUTHORITIES = Authorities(OURS.pem, OURS.revoke())


@given(st.binary(max_size=200) | st.tuples(st.integers(0, len(GOOD.der) - 1), st.binary(min_size=1, max_size=3)))
def test_whatever_is_sent_is_refused_and_breaks_nothing(sent: bytes | tuple[int, bytes]) -> None:
    """No change of one byte or a few leaves a certificate that counts: but for its signature, all of it is signed."""
    if isinstance(sent, bytes):
        packed = sent
    else:
        place, replaced = sent
        packed = GOOD.der[:place] + replaced + GOOD.der[place + len(replaced) :]
    if packed == GOOD.der:
        return
    with pytest.raises(CertificateRefused):
        OUR_AUTHORITIES.authenticate(packed, NOW)


def test_a_certificate_has_an_end() -> None:
    with pytest.raises(CertificateRefused, match="is longer than"):
        OUR_AUTHORITIES.authenticate(b"x" * (LONGEST_CERTIFICATE + 1), NOW)
