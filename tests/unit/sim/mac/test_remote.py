"""The client of a registry: what its failures are for `anka`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from anka_sim.mac.errors import NOT_FOUND, REGISTRY, SimulatedAnkaError
from anka_sim.mac.remote import RegistryConnection
from anka_sim.registry import seed
from anka_sim.registry.access import RegistryLogin, make_tls
from anka_sim.registry.catalog import RegistryCatalog
from anka_sim.registry.server import serving_in_thread
from localkube.controlplane.certificates import make_pki

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryConnection]:
    with serving_in_thread(tmp_path) as url:
        yield RegistryConnection(url)


def test_templates_by_name_and_by_uuid(registry: RegistryConnection, tmp_path: Path) -> None:
    uuid = seed.template(tmp_path, "ventura")
    assert registry.resolve("ventura") == registry.resolve(uuid) == uuid
    assert registry.manifest(uuid, None)["tag"] == "vanilla+port-forward-22"
    for unknown in (lambda: registry.resolve("sonoma"), lambda: registry.manifest(uuid, "none")):
        with pytest.raises(SimulatedAnkaError) as error:
            unknown()
        assert error.value.code == NOT_FOUND


def test_a_download_goes_on_where_it_broke_off(registry: RegistryConnection, tmp_path: Path) -> None:
    uuid = seed.template(tmp_path, "ventura")
    name = registry.manifest(uuid, None)["layers"][0]["name"]
    content = RegistryCatalog(tmp_path).image(uuid, name).read_bytes()
    part = io.BytesIO(content[:10])
    registry.download(uuid, name, part)
    assert part.getvalue() == content
    registry.download(uuid, name, part)
    assert part.getvalue() == content, "nothing is left to fetch"


@pytest.mark.parametrize("url", ["registry:8089", "ftp://registry", "http://"])
def test_a_wrong_url_is_named(url: str) -> None:
    with pytest.raises(SimulatedAnkaError, match="is not like http://host:8089"):
        RegistryConnection(url)


def test_a_registry_that_does_not_answer() -> None:
    with pytest.raises(SimulatedAnkaError, match=r"registry http://127.0.0.1:1 does not answer") as error:
        RegistryConnection("http://127.0.0.1:1").templates()
    assert error.value.code == REGISTRY


def test_an_api_key_by_path_and_by_text(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(PRIVATE)
    login = RegistryLogin(api_keys={"mac": PUBLIC})
    with serving_in_thread(tmp_path / "r", login=login) as url:
        for key in (str(path), PRIVATE.decode()):
            connection = RegistryConnection(url, api_key_id="mac", api_key=key)
            assert connection.templates() == connection.templates() == []
        assert login.handshakes == 2, "one for each command"
        for wrong in (None, "other"):
            with pytest.raises(SimulatedAnkaError, match="Authentication Required") as error:
                RegistryConnection(url, api_key_id=wrong, api_key=str(path)).templates()
            assert error.value.code == REGISTRY
        with pytest.raises(SimulatedAnkaError, match="the API key of mac cannot be used"):
            RegistryConnection(url, api_key_id="mac", api_key=str(tmp_path / "none")).templates()


def test_a_certificate_and_an_authority(tmp_path: Path) -> None:
    pki = make_pki(tmp_path / "pki")
    tls = make_tls(pki.server.certificate, pki.server.key, pki.ca.certificate)
    ca, cert, key = (str(path) for path in (pki.ca.certificate, pki.admin.certificate, pki.admin.key))
    with serving_in_thread(tmp_path / "r", login=RegistryLogin(certificates=True), tls=tls) as url:
        assert RegistryConnection(url, cacert=ca, cert=cert, key=key).templates() == []
        with pytest.raises(SimulatedAnkaError, match="Authentication Required"):
            RegistryConnection(url, cacert=ca).templates()
        with pytest.raises(SimulatedAnkaError, match="certificate verify failed"):
            RegistryConnection(url, cert=cert, key=key).templates()
