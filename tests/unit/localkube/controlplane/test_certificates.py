import datetime
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localkube.controlplane.certificates import Pair, make_pki
from localkube.errors import DevError


def load(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def subject(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid)]


def test_users_are_who_rbac_expects(tmp_path: Path) -> None:
    pki = make_pki(tmp_path / "pki")
    admin, manager = load(pki.admin), load(pki.controller_manager)
    assert subject(admin, NameOID.ORGANIZATION_NAME) == ["system:masters"]
    assert subject(manager, NameOID.COMMON_NAME) == ["system:kube-controller-manager"]
    assert subject(manager, NameOID.ORGANIZATION_NAME) == []
    for certificate in (admin, manager):
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_all_are_signed_by_the_authority_and_valid_now(tmp_path: Path) -> None:
    pki = make_pki(tmp_path)
    now = datetime.datetime.now(datetime.UTC)
    for pair in (pki.server, pki.admin, pki.controller_manager):
        certificate = load(pair)
        certificate.verify_directly_issued_by(load(pki.ca))
        assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc


def test_tls_with_strict_checks(tmp_path: Path) -> None:
    """A handshake in memory, as newer Pythons check by default."""
    pki = make_pki(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pki.server.certificate, pki.server.key)
    server.load_verify_locations(pki.ca.certificate)
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=str(pki.ca.certificate))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    client.load_cert_chain(pki.admin.certificate, pki.admin.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    done: set[int] = set()
    for _ in range(6):
        for number, end in enumerate(ends):
            try:
                end.do_handshake()
                done.add(number)
            except ssl.SSLWantReadError:
                continue
    assert done == {0, 1}


def test_keys_are_private(tmp_path: Path) -> None:
    make_pki(tmp_path)
    keys = list(tmp_path.glob("*.key"))
    assert len(keys) == 5
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_authority_and_signing_key_stay_the_rest_is_new(tmp_path: Path) -> None:
    make_pki(tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    pki = make_pki(tmp_path)
    same = {file.name for file in tmp_path.iterdir() if file.read_bytes() == before[file.name]}
    assert same == {"ca.crt", "ca.key", "service-account.key", "service-account.pub"}
    load(pki.admin).verify_directly_issued_by(load(pki.ca))


@pytest.mark.parametrize("name", ["ca.key", "ca.crt"])
def test_a_damaged_authority_is_one_clear_line(tmp_path: Path, name: str) -> None:
    make_pki(tmp_path)
    (tmp_path / name).write_text("garbage")
    with pytest.raises(DevError, match=f"the authority in {tmp_path} is damaged"):
        make_pki(tmp_path)


def test_two_control_planes_share_nothing(tmp_path: Path) -> None:
    one, two = make_pki(tmp_path / "1"), make_pki(tmp_path / "2")
    keys = [load(pki.ca).public_key() for pki in (one, two)]
    assert all(isinstance(key, ec.EllipticCurvePublicKey) for key in keys)
    assert one.ca.key.read_bytes() != two.ca.key.read_bytes()
    assert one.service_account_key.read_bytes() != two.service_account_key.read_bytes()
