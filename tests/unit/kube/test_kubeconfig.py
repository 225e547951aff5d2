"""Kubeconfigs are read as kubectl and the kubernetes package read them; the latter is asked here."""

from __future__ import annotations

import base64
import ssl
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as reference
from kubernetes import config as reference_config

from anka_kube.config import load_endpoint
from anka_kube.endpoint import ConfigError
from support.kubeconfigs import Write, bearer
from support.manual_clock import ManualClock


async def test_the_plainest(write: Write) -> None:
    endpoint = load_endpoint(write(context={"namespace": "ci"}), environ={})
    assert (endpoint.server, endpoint.namespace, endpoint.ssl) == ("http://127.0.0.1:8001", "ci", None)
    assert await bearer(endpoint) is None


async def test_token_and_password(write: Write) -> None:
    assert await bearer(load_endpoint(write(user={"token": "t"}), environ={})) == "Bearer t"
    endpoint = load_endpoint(write(user={"username": "a", "password": "b"}), environ={})
    assert await bearer(endpoint) == "Basic YTpi"


async def test_a_token_file_is_followed(write: Write, tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "token").write_text("one")
    endpoint = load_endpoint(write(user={"tokenFile": "token"}), environ={}, clock=clock)
    assert await bearer(endpoint) == "Bearer one"
    (tmp_path / "token").write_text("two")
    endpoint.credentials.invalidate(await endpoint.credentials.headers())
    assert await bearer(endpoint) == "Bearer two"


async def test_an_edited_token_is_found_after_a_401(write: Write) -> None:
    endpoint = load_endpoint(write(user={"token": "one"}), environ={})
    write(user={"token": "two"})
    assert await bearer(endpoint) == "Bearer one"
    endpoint.credentials.invalidate(await endpoint.credentials.headers())
    assert await bearer(endpoint) == "Bearer two"


def exec_user(folder: Path, status: str, **settings: Any) -> dict[str, Any]:
    """A user with a plugin that prints this status, a Python expression in which `n` counts its runs from 1."""
    plugin = folder / "plugin.py"
    plugin.write_text(
        "import json, pathlib\n"
        f"p = pathlib.Path({str(folder / 'count')!r})\n"
        "n = int(p.read_text()) + 1 if p.exists() else 1\n"
        "p.write_text(str(n))\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential',"
        f" 'status': {status}}}))\n"
    )
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(plugin)],
            "interactiveMode": "Never",
            **settings,
        }
    }


async def test_an_exec_plugin_is_run_again_after_a_401(write: Write, tmp_path: Path) -> None:
    endpoint = load_endpoint(write(user=exec_user(tmp_path, "{'token': f't{n}'}")), environ={})
    assert await bearer(endpoint) == "Bearer t1"
    endpoint.credentials.invalidate(await endpoint.credentials.headers())
    assert await bearer(endpoint) == "Bearer t2"


async def test_an_exec_plugin_is_run_again_before_its_token_expires(
    write: Write, tmp_path: Path, clock: ManualClock
) -> None:
    expires = datetime.fromtimestamp(clock.now().timestamp() + 150, UTC).isoformat()
    user = exec_user(tmp_path, f"{{'token': f't{{n}}', 'expirationTimestamp': {expires!r}}}")
    endpoint = load_endpoint(write(user=user), environ={}, clock=clock)
    for seconds, token in ((0, "t1"), (61, "t1"), (61, "t2")):
        clock.advance(seconds)
        assert await bearer(endpoint) == f"Bearer {token}"


def test_an_exec_plugin_may_give_a_certificate(write: Write, tmp_path: Path, certificate: tuple[str, str]) -> None:
    crt, key = certificate
    user = exec_user(tmp_path, f"{{'clientCertificateData': {crt!r}, 'clientKeyData': {key!r}}}")
    assert load_endpoint(write(user, {"server": "https://api:6443"}), environ={}).ssl is not None
    user = exec_user(tmp_path, f"{{'clientCertificateData': {crt!r}, 'clientKeyData': 'no key'}}")
    with pytest.raises(ConfigError, match="cannot be used"):
        load_endpoint(write(user, {"server": "https://api:6443"}), environ={})


def test_an_exec_plugin_that_is_not_installed_says_how_to_get_it(write: Write) -> None:
    settings = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "/no/such",
        "installHint": "brew\ninstall x",
    }
    with pytest.raises(ConfigError, match=r"gave no credentials: .*No such file.*; brew install x$"):
        load_endpoint(write(user={"exec": settings}), environ={})


def test_an_auth_provider_is_refused(write: Write) -> None:
    with pytest.raises(ConfigError, match="auth-provider is not supported: use an exec plugin"):
        load_endpoint(write(user={"auth-provider": {"name": "oidc"}}), environ={})


def test_data_wins_over_files(write: Write, certificate: tuple[str, str]) -> None:
    crt, key = (base64.b64encode(text.encode()).decode() for text in certificate)
    cluster = {"server": "https://api:6443", "certificate-authority": "no", "certificate-authority-data": crt}
    user = {"client-certificate-data": crt, "client-key-data": key, "client-key": "no"}
    endpoint = load_endpoint(write(user, cluster), environ={})
    assert endpoint.ssl is not None
    assert endpoint.ssl.cert_store_stats()["x509"] == 1


@pytest.mark.parametrize(
    ("user", "cluster"),
    [
        ({}, {"server": "https://api:6443/"}),
        ({"token": "t"}, {"server": "https://api:6443", "insecure-skip-tls-verify": True}),
        ({"username": "a", "password": "b"}, {"server": "http://api", "proxy-url": "http://proxy:1"}),
        ({"token": "t", "username": "a", "password": "b"}, {"server": "https://api", "tls-server-name": "kubernetes"}),
        ({"tokenFile": "token"}, {"server": "https://api:6443"}),
        ({"token": "t", "tokenFile": "token"}, {"server": "https://api:6443"}),
    ],
)
async def test_the_kubernetes_package_reads_the_same(
    write: Write, tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any]
) -> None:
    (tmp_path / "token").write_text("from a file")
    path = write(user, cluster)
    expected = reference.Configuration()
    reference_config.load_kube_config(str(path), client_configuration=expected)  # type: ignore[no-untyped-call]
    endpoint = load_endpoint(path, environ={})
    assert (endpoint.server, await bearer(endpoint)) == (
        expected.host,
        expected.get_api_key_with_prefix("BearerToken"),
    )
    assert endpoint.server_hostname == expected.tls_server_name
    assert endpoint.proxy == expected.proxy
    assert endpoint.ssl is None or (endpoint.ssl.verify_mode == ssl.CERT_REQUIRED) is expected.verify_ssl


def test_certificates(write: Write, tmp_path: Path, certificate: tuple[str, str]) -> None:
    for name, text in zip(("crt", "key"), certificate, strict=True):
        (tmp_path / name).write_text(text)
    cluster = {"server": "https://api:6443", "certificate-authority": "crt", "tls-server-name": "kubernetes"}
    user = {"client-certificate": "crt", "client-key": "key"}
    endpoint = load_endpoint(write(user, cluster), environ={})
    assert endpoint.ssl is not None
    assert endpoint.ssl.verify_mode == ssl.CERT_REQUIRED
    assert endpoint.ssl.cert_store_stats()["x509"] == 1
    assert endpoint.server_hostname == "kubernetes"


def test_verification_off_only_when_asked(write: Write) -> None:
    cluster = {"server": "https://api:6443", "insecure-skip-tls-verify": True}
    endpoint = load_endpoint(write(cluster=cluster), environ={})
    assert endpoint.ssl is not None
    assert endpoint.ssl.verify_mode == ssl.CERT_NONE


def test_proxies(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
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
        ({"current-context": "x"}, "has no context 'x'"),
        ({"contexts": "none"}, "contexts is not a list of names, each with its context"),
        ({"clusters": []}, "context 'c' names cluster 'k', which is not there"),
        ({"clusters": [{"name": "k", "cluster": {}}]}, "'k' has no server"),
        ({"clusters": [{"name": "k", "cluster": {"server": "api:6443"}}]}, "not an http"),
        ({"users": []}, "names user 'u', which is not there"),
        ({"users": [{"name": "u", "user": {"tokenFile": "absent"}}]}, "there is no token file"),
        (
            {"clusters": [{"name": "k", "cluster": {"server": "https://a", "certificate-authority": "no"}}]},
            "there is no file",
        ),
        (
            {"clusters": [{"name": "k", "cluster": {"server": "https://a", "certificate-authority-data": "bm9wZQ=="}}]},
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
def test_what_is_wrong_is_said_in_one_line(write: Write, change: dict[str, Any], words: str) -> None:
    path = write(**change)
    with pytest.raises(ConfigError) as caught:
        load_endpoint(path, environ={})
    message = str(caught.value)
    assert words in message
    assert str(path) in message
    assert "\n" not in message


@pytest.mark.parametrize("text", ["", "a: [", "[1, 2]", "just words", "a: b"])
def test_what_is_no_kubeconfig_is_said_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(ConfigError, match=str(path)) as caught:
        load_endpoint(path, environ={})
    assert "\n" not in str(caught.value)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(ConfigError, match=r"\(the given path\) does not exist or is not a file"):
            load_endpoint(path, environ={})
    with pytest.raises(ConfigError, match=r"\(KUBECONFIG\) does not exist"):
        load_endpoint(environ={"KUBECONFIG": "/absent"})
