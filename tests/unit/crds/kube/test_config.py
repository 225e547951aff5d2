from __future__ import annotations

import datetime
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from anka_crds.kube.config import ConfigError, Endpoint, load_endpoint
from support.manual_clock import ManualClock

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def certificate() -> tuple[str, str]:
    """A self-signed certificate and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signed.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(
        user: dict[str, Any] | None = None,
        cluster: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        name: str = "config",
        **extra: Any,
    ) -> Path:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:8001/", **(cluster or {})}}],
            "users": [{"name": "u", "user": user or {}}],
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", **(context or {})}}],
            **extra,
        }
        path = tmp_path / name
        path.write_text(yaml.safe_dump(config))
        return path

    return write


async def bearer(endpoint: Endpoint) -> str | None:
    return (await endpoint.credentials.headers()).get("Authorization")


class TestWhichOne:
    def test_nothing_named_is_one_clear_error(self, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
        home = write().parent
        (home / ".kube").mkdir()
        write(name=".kube/config")
        monkeypatch.setenv("HOME", str(home))
        with pytest.raises(ConfigError, match=r"^no Kubernetes API named: give --kubeconfig .*not used by itself\)$"):
            load_endpoint(environ={})

    def test_the_given_path_wins_over_the_variable(self, write: Write) -> None:
        given = write(cluster={"server": "http://given:1"}, name="given")
        variable = write(cluster={"server": "http://variable:1"}, name="variable")
        environ = {"KUBECONFIG": str(variable), "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
        assert load_endpoint(given, environ=environ).server == "http://given:1"
        assert load_endpoint(environ=environ).server == "http://variable:1"

    def test_several_files_in_the_variable_are_merged(self, write: Write, tmp_path: Path) -> None:
        first = write(name="first", users=[])
        second = write(user={"token": "t"}, name="second")
        endpoint = load_endpoint(environ={"KUBECONFIG": f"{tmp_path / 'absent'}:{first}:{second}"})
        assert endpoint.server == "http://127.0.0.1:8001"


class TestKubeconfig:
    async def test_the_plainest(self, write: Write) -> None:
        endpoint = load_endpoint(write(context={"namespace": "ci"}), environ={})
        assert (endpoint.server, endpoint.namespace, endpoint.ssl) == ("http://127.0.0.1:8001", "ci", None)
        assert await bearer(endpoint) is None

    async def test_token_and_password(self, write: Write) -> None:
        assert await bearer(load_endpoint(write(user={"token": "t"}), environ={})) == "Bearer t"
        endpoint = load_endpoint(write(user={"username": "a", "password": "b"}), environ={})
        assert await bearer(endpoint) == "Basic YTpi"

    async def test_a_token_file_is_followed(self, write: Write, tmp_path: Path, clock: ManualClock) -> None:
        (tmp_path / "token").write_text("one")
        endpoint = load_endpoint(write(user={"tokenFile": "token"}), environ={}, clock=clock)
        assert await bearer(endpoint) == "Bearer one"
        (tmp_path / "token").write_text("two")
        endpoint.credentials.invalidate(await endpoint.credentials.headers())
        assert await bearer(endpoint) == "Bearer two"

    async def test_an_edited_token_is_found_after_a_401(self, write: Write) -> None:
        endpoint = load_endpoint(write(user={"token": "one"}), environ={})
        write(user={"token": "two"})
        assert await bearer(endpoint) == "Bearer one"
        endpoint.credentials.invalidate(await endpoint.credentials.headers())
        assert await bearer(endpoint) == "Bearer two"

    async def test_an_exec_plugin_is_run_again_after_a_401(self, write: Write, tmp_path: Path) -> None:
        plugin = tmp_path / "plugin.py"
        plugin.write_text(
            "import json, pathlib\n"
            f"p = pathlib.Path({str(tmp_path / 'count')!r})\n"
            "n = int(p.read_text()) + 1 if p.exists() else 1\n"
            "p.write_text(str(n))\n"
            "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential',"
            " 'status': {'token': f't{n}'}}))\n"
        )
        settings = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(plugin)],
            "interactiveMode": "Never",
        }
        endpoint = load_endpoint(write(user={"exec": settings}), environ={})
        assert await bearer(endpoint) == "Bearer t1"
        endpoint.credentials.invalidate(await endpoint.credentials.headers())
        assert await bearer(endpoint) == "Bearer t2"

    def test_certificates(self, write: Write, tmp_path: Path, certificate: tuple[str, str]) -> None:
        for name, text in zip(("crt", "key"), certificate, strict=True):
            (tmp_path / name).write_text(text)
        cluster = {"server": "https://api:6443", "certificate-authority": "crt", "tls-server-name": "kubernetes"}
        user = {"client-certificate": "crt", "client-key": "key"}
        endpoint = load_endpoint(write(user, cluster), environ={})
        assert endpoint.ssl is not None
        assert endpoint.ssl.verify_mode == ssl.CERT_REQUIRED
        assert endpoint.ssl.cert_store_stats()["x509"] == 1
        assert endpoint.server_hostname == "kubernetes"

    def test_verification_off_only_when_asked(self, write: Write) -> None:
        cluster = {"server": "https://api:6443", "insecure-skip-tls-verify": True}
        endpoint = load_endpoint(write(cluster=cluster), environ={})
        assert endpoint.ssl is not None
        assert endpoint.ssl.verify_mode == ssl.CERT_NONE

    def test_proxies(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://proxy:3128")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert load_endpoint(write(), environ={}).proxy is None
        assert load_endpoint(write(cluster={"server": "http://far"}), environ={}).proxy == "http://proxy:3128"
        own = {"server": "http://far", "proxy-url": "http://own:1"}
        assert load_endpoint(write(cluster=own), environ={}).proxy == "http://own:1"

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"current-context": ""}, "names no current-context"),
            ({"current-context": "x"}, "object with name x in"),
            ({"contexts": "none"}, "Invalid kube-config file"),
            ({"clusters": []}, "object with name k in"),
            ({"clusters": [{"name": "k", "cluster": {}}]}, "'k' has no server"),
            ({"clusters": [{"name": "k", "cluster": {"server": "api:6443"}}]}, "not an http"),
            ({"users": []}, "names user 'u', which is not there"),
            ({"users": [{"name": "u", "user": {"tokenFile": "absent"}}]}, "absent"),
            ({"clusters": [{"name": "k", "cluster": {"server": "https://a", "certificate-authority": "no"}}]}, "no"),
            (
                {
                    "clusters": [
                        {"name": "k", "cluster": {"server": "https://a", "certificate-authority-data": "bm9wZQ=="}}
                    ]
                },
                "cannot be used",
            ),
            (
                {
                    "users": [
                        {
                            "name": "u",
                            "user": {
                                "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/no/such/plugin"}
                            },
                        }
                    ]
                },
                "exec plugin '/no/such/plugin' gave no credentials",
            ),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line(self, write: Write, change: dict[str, Any], words: str) -> None:
        path = write(**change)
        with pytest.raises(ConfigError) as caught:
            load_endpoint(path, environ={})
        message = str(caught.value)
        assert words in message
        assert str(path) in message
        assert "\n" not in message

    @pytest.mark.parametrize("text", ["", "a: [", "[1, 2]", "just words", "a: b"])
    def test_what_is_no_kubeconfig_is_said_in_one_line(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "config"
        path.write_text(text)
        with pytest.raises(ConfigError, match=str(path)) as caught:
            load_endpoint(path, environ={})
        assert "\n" not in str(caught.value)

    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        for path in (tmp_path / "absent", tmp_path):
            with pytest.raises(ConfigError, match=r"\(the given path\) does not exist or is not a file"):
                load_endpoint(path, environ={})
        with pytest.raises(ConfigError, match=r"\(KUBECONFIG\) does not exist"):
            load_endpoint(environ={"KUBECONFIG": "/absent"})


class TestInCluster:
    ENVIRON = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}  # noqa: RUF012

    @pytest.fixture
    def account(self, tmp_path: Path, certificate: tuple[str, str]) -> Path:
        (tmp_path / "token").write_text("one\n")
        (tmp_path / "ca.crt").write_text(certificate[0])
        (tmp_path / "namespace").write_text("anka")
        return tmp_path

    async def test_the_service_account_is_used_and_its_token_followed(self, account: Path, clock: ManualClock) -> None:
        endpoint = load_endpoint(environ=self.ENVIRON, service_account=account, clock=clock)
        assert endpoint.server == "https://[fd00::1]:6443"
        assert endpoint.namespace == "anka"
        assert endpoint.ssl is not None
        assert await bearer(endpoint) == "Bearer one"
        (account / "token").write_text("two")
        clock.advance(61)
        assert await bearer(endpoint) == "Bearer two"

    @pytest.mark.parametrize("file", ["token", "ca.crt"])
    @pytest.mark.parametrize("content", [None, ""])
    def test_an_unusable_account_is_one_clear_error(self, account: Path, file: str, content: str | None) -> None:
        if content is None:
            (account / file).unlink()
        else:
            (account / file).write_text(content)
        with pytest.raises(ConfigError, match=r"service account") as caught:
            load_endpoint(environ=self.ENVIRON, service_account=account)
        assert "\n" not in str(caught.value)


def test_the_heavy_package_is_only_imported_for_a_kubeconfig() -> None:
    code = "import sys, anka_crds.kube.client, anka_crds.kube.reflector; print('kubernetes' in sys.modules)"
    path = str(Path(__file__).parents[4] / "crds")
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
