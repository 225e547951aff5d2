"""The certificates and keys of one control plane, signed by its own authority."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localkube.errors import DevError
from localkube.files import write_private

_AUTHORITY_YEARS = 10
_LEAF_DAYS = 365
_SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Pki:
    """The keys and certificates by which components and administrator trust each other."""

    ca: Pair
    server: Pair
    admin: Pair
    controller_manager: Pair
    service_account_key: Path
    service_account_public: Path


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _load(pair: Pair) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    try:
        key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    except ValueError as error:
        raise DevError(f"the authority in {pair.key.parent} is damaged ({error}): delete that folder") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise DevError(f"{pair.key} is not a key of this kind: delete {pair.key.parent}")
    return key, certificate


def _name(common: str, organization: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        # An hour back, for a clock that is corrected after this.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


class Authority:
    """Signs certificates; kept in ``directory`` as ``ca.crt`` and ``ca.key`` and loaded from there when present."""

    def __init__(self, directory: Path) -> None:
        self.pair = Pair(directory / "ca.crt", directory / "ca.key")
        self._directory = directory
        if self.pair.certificate.exists() and self.pair.key.exists():
            self._key, self._certificate = _load(self.pair)
        else:
            self._key = ec.generate_private_key(ec.SECP256R1())
            self._certificate = self._self_sign()
            write_private(self.pair.key, _key_bytes(self._key))
            write_private(self.pair.certificate, self._certificate.public_bytes(serialization.Encoding.PEM))

    def _self_sign(self) -> x509.Certificate:
        name = _name("localkube control plane")
        public = self._key.public_key()
        return (
            _builder(name, name, public, 365 * _AUTHORITY_YEARS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def issue(self, file: str, common: str, organization: str | None = None, addresses: Sequence[str] = ()) -> Pair:
        """A certificate and key as ``file.crt`` and ``file.key``: a server's when it has addresses, else a client's."""
        key = ec.generate_private_key(ec.SECP256R1())
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if addresses else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            _builder(_name(common, organization), self._certificate.subject, key.public_key(), _LEAF_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if addresses:
            names: list[x509.GeneralName] = [x509.DNSName(name) for name in _SERVER_NAMES]
            names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return Pair(
            write_private(self._directory / f"{file}.crt", certificate.public_bytes(serialization.Encoding.PEM)),
            write_private(self._directory / f"{file}.key", _key_bytes(key)),
        )


def make_pki(directory: Path) -> Pki:
    """Create what is missing. The authority and the service-account key stay as they are when present, so that
    kubeconfigs and tokens outlive a restart with kept data; the rest is issued anew, so that nothing expires."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = Authority(directory)
    private, public = directory / "service-account.key", directory / "service-account.pub"
    if not (private.exists() and public.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(private, _key_bytes(key))
        write_private(
            public,
            key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        )
    return Pki(
        ca=authority.pair,
        server=authority.issue("server", "kube-apiserver", addresses=("127.0.0.1", "10.0.0.1")),
        admin=authority.issue("admin", "localkube-admin", "system:masters"),
        controller_manager=authority.issue("controller-manager", "system:kube-controller-manager"),
        service_account_key=private,
        service_account_public=public,
    )
