"""The authorities whose client certificates count, and what they have revoked. Pure.

A certificate must be signed by one of them directly: a proxy passes on no others, and a path through certificates that
a client has brought along needs rules that change. cryptography's own verification is for the names of web servers: it
refuses what the old controller's instructions make, certificates of X.509 version 1.
"""

import datetime
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from anka_shim.access.certificate_subject import to_principal
from anka_shim.http.authentication import Principal

LONGEST_CERTIFICATE = 16_384
"""Bytes of one in DER: the largest of a person, with a long key and its extensions, has some 3,000."""
REMEMBERED = 4096
"""Certificates whose signature is not computed again."""

_WEAK = frozenset({hashes.MD5.name, hashes.SHA1.name})
_PURPOSES = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
"""Extensions that may be critical: what they demand is checked, or does not restrict who the subject is."""
_LIST = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)

E = TypeVar("E", bound=x509.ExtensionType)


class CertificateRefused(Exception):
    """Its text says why; no secret."""


class Revocations:
    """One list of an authority. ValueError for one that speaks of less than all its certificates."""

    def __init__(self, packed: x509.CertificateRevocationList) -> None:
        for extension in packed.extensions:
            _check_scope(extension)
        self.since = packed.last_update_utc
        self.until = packed.next_update_utc
        self._serials = frozenset(revoked.serial_number for revoked in packed)

    def has(self, serial: int) -> bool:
        return serial in self._serials


class Authorities:
    """`certificates`, `lists`: PEM files, with several each; no `lists`: nothing is revoked. ValueError says what
    cannot be used."""

    def __init__(self, certificates: bytes, lists: bytes | None = None) -> None:
        self._certificates = _parse_authorities(certificates)
        self._revocations = None if lists is None else _parse_lists(lists, self._certificates)
        self._identify = lru_cache(REMEMBERED)(self._verify)

    @property
    def lists_until(self) -> datetime.datetime | None:
        """When the first list is out of date; None without lists, or for lists without such a time."""
        return min((one.until for one in (self._revocations or {}).values() if one.until), default=None)

    def authenticate(self, packed: bytes, now: datetime.datetime) -> Principal:
        """The subject of a certificate in DER. Raises CertificateRefused."""
        if len(packed) > LONGEST_CERTIFICATE:
            raise CertificateRefused(f"it is longer than {LONGEST_CERTIFICATE} bytes")
        try:
            certificate, issuer, principal = self._identify(packed)
        except ValueError as error:
            raise CertificateRefused(str(error)) from None
        for one, name in ((certificate, "it"), (issuer, "its authority")):
            if now < one.not_valid_before_utc:
                raise CertificateRefused(f"{name} is not valid yet")
            if now > one.not_valid_after_utc:
                raise CertificateRefused(f"{name} has expired")
        self._check_revocation(certificate, issuer, now)
        return principal

    def _check_revocation(
        self, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime.datetime
    ) -> None:
        if self._revocations is None:
            return
        revocations = self._revocations.get(issuer)
        if revocations is None:
            raise CertificateRefused("there is no list of what its authority has revoked")
        if revocations.until is not None and now > revocations.until:
            raise CertificateRefused("the list of what its authority has revoked is out of date")
        if revocations.has(certificate.serial_number):
            raise CertificateRefused("it is revoked")

    def _verify(self, packed: bytes) -> tuple[x509.Certificate, x509.Certificate, Principal]:
        """The certificate, its authority, its subject. ValueError; the clock and the lists come later."""
        try:
            certificate = x509.load_der_x509_certificate(packed)
            _check_leaf(certificate)
            issuers = (one for one in self._certificates if certificate.issuer == one.subject)
            issuer = next((one for one in issuers if _is_signed_by(certificate, one)), None)
            subject = certificate.subject
        except (UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension) as error:
            raise ValueError(f"it cannot be read: {error}") from None
        if issuer is None:
            raise ValueError("none of our authorities has signed it")
        return certificate, issuer, to_principal(subject)


def _parse_authorities(content: bytes) -> Sequence[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise ValueError("must have certificates in PEM") from None
    for certificate in found:
        name = certificate.subject.rfc4514_string()
        constraints = _find(certificate, x509.BasicConstraints)
        usage = _find(certificate, x509.KeyUsage)
        # Version 1 has no extensions: then its own signature must do.
        is_authority = constraints.ca if constraints else certificate.issuer == certificate.subject
        if not is_authority or (usage is not None and not usage.key_cert_sign):
            raise ValueError(f"{name} is not an authority")
        if _find(certificate, x509.NameConstraints) is not None:
            raise ValueError(f"{name} has name constraints, which are not supported")
    return found


def _parse_lists(content: bytes, authorities: Sequence[x509.Certificate]) -> dict[x509.Certificate, Revocations]:
    found: dict[x509.Certificate, Revocations] = {}
    for block in _LIST.findall(content):
        try:
            packed = x509.load_pem_x509_crl(block)
            signers = [one for one in authorities if one.subject == packed.issuer and _has_signed(one, packed)]
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValueError("must have revocation lists (X509 CRL) in PEM") from None
        if not signers:
            raise ValueError(f"the list of {packed.issuer.rfc4514_string()} is signed by none of the authorities")
        revocations = Revocations(packed)
        for one in signers:
            if one not in found or found[one].since < revocations.since:
                found[one] = revocations
    if not found:
        raise ValueError("must have revocation lists (X509 CRL) in PEM")
    return found


def _has_signed(authority: x509.Certificate, packed: x509.CertificateRevocationList) -> bool:
    return packed.is_signature_valid(authority.public_key())  # type: ignore[arg-type]  # TypeError for other keys


def _check_scope(extension: x509.Extension[x509.ExtensionType]) -> None:
    point = extension.value
    if isinstance(point, x509.IssuingDistributionPoint):
        is_partial = point.only_contains_ca_certs or point.only_contains_attribute_certs or point.only_some_reasons
        if not is_partial and not point.indirect_crl:
            return
    elif not extension.critical:
        return
    raise ValueError("a revocation list must be a whole one: neither of a part of the certificates, nor of changes")


def _check_leaf(certificate: x509.Certificate) -> None:
    algorithm = certificate.signature_hash_algorithm
    if algorithm is not None and algorithm.name in _WEAK:
        raise ValueError("its signature uses SHA-1 or MD5")
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise ValueError(f"it has a critical extension that is not supported: {extension.oid.dotted_string}")
    purposes = _find(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and _PURPOSES.isdisjoint(purposes):
        raise ValueError("it is not for clients (extendedKeyUsage)")


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _find(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
