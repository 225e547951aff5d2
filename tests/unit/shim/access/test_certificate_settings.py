"""Flags about certificates that need each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_runtime.settings import load
from anka_shim.settings import ShimSettings
from support.client_authority import ClientAuthority

CA = ClientAuthority()
TLS = "--tls-cert-file={server}"
AUTH = ["--enable-auth", "--root-token-file={root}"]
CLIENTS = "--client-ca-file={ca}"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([TLS], None),
        ([TLS, "--tls-min-version=1.3", "--tls-key-file={server}"], None),
        ([*AUTH, TLS, CLIENTS, "--client-crl-file={crl}"], None),
        ([*AUTH, CLIENTS, "--client-cert-header=nginx", "--trusted-proxies=10.0.0.0/8"], None),
        (["--tls-key-file={server}"], "tls-key-file: needs --tls-cert-file too"),
        (["--tls-cert-file={ca}"], "ca cannot be used as certificate and key"),
        ([TLS, "--tls-min-version=1.1"], "tls-min-version: "),
        ([TLS, "--tls-ciphers=x"], "'x' names no cipher of OpenSSL"),
        ([TLS, CLIENTS], "client-ca-file: needs --enable-auth"),
        ([*AUTH, CLIENTS], "client-ca-file: needs --tls-cert-file or --client-cert-header"),
        ([*AUTH, TLS, "--client-ca-file={crl}"], "client-ca-file: must have certificates in PEM"),
        ([*AUTH, TLS, "--client-ca-file=/none"], "client-ca-file: /none cannot be read: No such file"),
        ([*AUTH, TLS, CLIENTS, "--client-crl-file={ca}"], "client-crl-file: must have revocation lists"),
        ([*AUTH, TLS, "--client-crl-file={crl}"], "client-crl-file: needs --client-ca-file too"),
        ([*AUTH, "--client-cert-header=nginx", "--trusted-proxies=::1"], "client-cert-header: needs --client-ca-file"),
        ([*AUTH, CLIENTS, "--client-cert-header=nginx"], "client-cert-header: needs --trusted-proxies with addresses"),
        (
            [*AUTH, CLIENTS, "--client-cert-header=xfcc", "--trusted-proxies=::1,*"],
            "client-cert-header: needs --trusted-proxies with addresses",
        ),
    ],
)
def test_certificates_of_clients_need_a_way_to_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], told: str | None
) -> None:
    for name, content in (("root", b"a token of the tests"), ("ca", CA.pem), ("crl", CA.revoke())):
        (tmp_path / name).write_bytes(content)
    files = {name: tmp_path / name for name in ("root", "ca", "crl")}
    files["server"] = CA.issue_server().write(tmp_path, "server")
    arguments = [flag.format_map(files) for flag in flags]
    if told is None:
        load(ShimSettings, "anka-shim", arguments)
        return
    with pytest.raises(SystemExit) as ended:
        load(ShimSettings, "anka-shim", arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert told in said
    assert len(said.splitlines()) == 1
