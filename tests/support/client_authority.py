"""An authority of the tests: it signs certificates of clients and servers, good ones and others, and revokes them."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
LONG_AGO = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
"""Before the time of a ManualClock."""

_KINDS = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def write(self, folder: Path, name: str) -> Path:
        """Certificate and key in one file."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = folder / name
        file.write_bytes(self.pem + key)
        return file


def name(*parts: tuple[str, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(_KINDS[kind], text) for kind, text in parts])


@dataclass
class ClientAuthority:
    subject: x509.Name = field(default_factory=lambda: name(("O", "Tests"), ("CN", "Authority")))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    constraints: x509.ExtensionType = x509.BasicConstraints(ca=True, path_length=None)  # noqa: RUF009  # immutable

    revoke_until = NOW + 30 * DAY

    def __post_init__(self) -> None:
        builder = self._builder(self.subject, self.key.public_key(), (LONG_AGO, NOW + 3650 * DAY))
        self.certificate = builder.add_extension(self.constraints, critical=True).sign(self.key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        *subject: tuple[str, str],
        valid: tuple[datetime.datetime, datetime.datetime] = (LONG_AGO, NOW + 30 * DAY),
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    ) -> Issued:
        """`extensions`: each with whether it is critical."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(name(*subject), key.public_key(), valid)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return Issued(builder.sign(self.key, hashes.SHA256()), key)

    def issue_server(self) -> Issued:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        return self.issue(("CN", "localhost"), extensions=[(x509.SubjectAlternativeName(names), False)])

    def revoke(
        self,
        *issued: Issued,
        until: datetime.datetime = revoke_until,
        since: datetime.datetime = LONG_AGO,
        extension: x509.ExtensionType | None = None,
    ) -> bytes:
        """The list of these, in PEM."""
        builder = x509.CertificateRevocationListBuilder(self.subject, since, until)
        for one in issued:
            entry = x509.RevokedCertificateBuilder(one.certificate.serial_number, since)
            builder = builder.add_revoked_certificate(entry.build())
        if extension is not None:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _builder(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        valid: tuple[datetime.datetime, datetime.datetime],
    ) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(self.subject, subject, public, x509.random_serial_number(), valid[0], valid[1])
