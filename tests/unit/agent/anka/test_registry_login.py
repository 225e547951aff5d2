"""The agent's commands against a registry that demands a login: what `anka` is told is what the registry takes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka
from anka_agent.anka.errors import AnkaError
from anka_agent.anka.registry_options import RegistryOptions, make_options
from anka_agent.settings import AgentSettings
from anka_sim.mac.harness import Mac
from anka_sim.registry import seed
from anka_sim.registry.access import RegistryLogin, make_tls
from anka_sim.registry.server import serving_in_thread
from localkube.controlplane.certificates import make_pki

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def mac(tmp_path: Path) -> Iterator[Mac]:
    with Mac(tmp_path / "mac") as mac:
        yield mac


@pytest.mark.parametrize("kind", ["API key", "certificate"])
async def test_a_template_is_pulled_and_a_vm_is_pushed(mac: Mac, tmp_path: Path, kind: str) -> None:
    pki = make_pki(tmp_path / "pki")
    key = tmp_path / "key.pem"
    key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    login = RegistryLogin(api_keys={"mac": public}, certificates=True)
    uuid = seed.template(tmp_path / "registry", "ventura", tag="v1")
    tls = make_tls(pki.server.certificate, pki.server.key, pki.ca.certificate)
    with serving_in_thread(tmp_path / "registry", login=login, tls=tls) as url:
        given: dict[str, Any] = {"registry_url": url, "registry_ca_file": pki.ca.certificate}
        if kind == "API key":
            given |= {"registry_api_key_id": "mac", "registry_api_key_file": key}
        else:
            given |= {"registry_cert_file": pki.admin.certificate, "registry_key_file": pki.admin.key}
        anka = AnkaCli(Anka(str(mac.executable)), make_options(AgentSettings.model_construct(**given)))
        await anka.pull(uuid, "v1", remote=url, on_percent=lambda percent: None)
        await anka.clone(uuid, "vm", "v1")
        line = anka.push_command("vm", "v2", description="", target=uuid, remote=url)
        done = subprocess.run(line, capture_output=True, check=False, timeout=60)  # noqa: ASYNC221 - of a test
        assert done.returncode == 0, done.stdout
        assert await anka.registry_tags(uuid, remote=url) == ["v1", "v2"]
        assert all("PRIVATE" not in " ".join(command["argv"]) for command in mac.commands())

        nobody = RegistryOptions(url, ("--cacert", str(pki.ca.certificate)))
        with pytest.raises(AnkaError, match="Authentication Required"):
            await AnkaCli(Anka(str(mac.executable)), nobody).registry_tags(uuid, remote=url)
