"""Certificates that are replaced while we run."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest

from anka_runtime.secret_file import REREAD_SECONDS
from anka_runtime.tls_files import TlsFiles, make_context, make_server_context
from localkube.controlplane.certificates import make_pki
from support.manual_clock import ManualClock


def test_a_context_lasts_until_a_file_changes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pki, other, clock = make_pki(tmp_path / "one"), make_pki(tmp_path / "two"), ManualClock()
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    shutil.copy(pki.admin.certificate, certificate)
    shutil.copy(pki.admin.key, key)
    files = TlsFiles(pki.ca.certificate, certificate, key, clock)
    first = files.context()
    clock.advance(REREAD_SECONDS)
    assert files.context() is first
    shutil.copy(other.admin.certificate, certificate)
    assert files.context() is first, "not at every request"
    clock.advance(REREAD_SECONDS)
    assert files.context() is first, "the key is still that of the other"
    assert "the certificates of before stay in use" in caplog.text
    shutil.copy(other.admin.key, key)
    clock.advance(REREAD_SECONDS)
    assert files.context() is not first


def test_only_the_named_authorities_are_trusted(tmp_path: Path) -> None:
    pki = make_pki(tmp_path)
    assert len(make_context(pki.ca.certificate, None, None).get_ca_certs()) == 1


def test_a_key_with_a_passphrase_asks_nobody(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    pki = make_pki(tmp_path)
    key = load_pem_private_key(pki.admin.key.read_bytes(), None)
    locked = tmp_path / "locked"
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")))
    with pytest.raises(ValueError, match="cannot be used as certificate and key"):
        make_context(None, pki.admin.certificate, locked)


def test_a_server_has_no_old_versions_and_the_ciphers_that_are_named(tmp_path: Path) -> None:
    pki = make_pki(tmp_path)
    pair = (pki.server.certificate, pki.server.key)
    assert make_server_context(None, *pair).minimum_version is ssl.TLSVersion.TLSv1_2
    assert make_server_context(None, *pair, lowest="1.3").minimum_version is ssl.TLSVersion.TLSv1_3
    named = make_server_context(None, *pair, ciphers="ECDHE-RSA-AES128-GCM-SHA256")
    assert [one["name"] for one in named.get_ciphers() if one["protocol"] != "TLSv1.3"] == [
        "ECDHE-RSA-AES128-GCM-SHA256"
    ]
    with pytest.raises(ValueError, match="'NONSENSE' names no cipher of OpenSSL"):
        make_server_context(None, *pair, ciphers="NONSENSE")


def test_a_server_asks_for_certificates_where_it_knows_authorities(tmp_path: Path) -> None:
    pki = make_pki(tmp_path)
    pair = (pki.server.certificate, pki.server.key)
    assert make_server_context(None, *pair).verify_mode is ssl.CERT_NONE
    assert make_server_context(pki.ca.certificate, *pair).verify_mode is ssl.CERT_OPTIONAL
    with pytest.raises(ValueError, match="cannot be used as certificates of authorities"):
        make_server_context(pki.ca.key, *pair)
