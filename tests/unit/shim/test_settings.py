"""Flags and environment of the API shim."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_runtime.settings import load
from anka_runtime.version import package_version
from anka_shim.settings import ShimSettings


def test_defaults_keep_others_away() -> None:
    settings = load(ShimSettings, "anka-shim", [])
    assert (settings.host, settings.port, settings.namespace) == ("127.0.0.1", 8090, "anka-ci")
    assert settings.keep_alive_seconds > 120


def test_help_says_that_authentication_is_off(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        load(ShimSettings, "anka-shim", ["--help"])
    assert ended.value.code == 0
    assert "Without --enable-auth, anything that reaches its port can start" in capsys.readouterr().out


def test_the_registry_url_is_kept_without_its_last_slash() -> None:
    assert load(ShimSettings, "anka-shim", ["--registry-url", "http://r:8089/"]).registry_url == "http://r:8089"


def test_peers_are_addresses_with_commas_between_them() -> None:
    settings = load(ShimSettings, "anka-shim", ["--peers", " shim.anka-system:8090, [fd00::1]:80,10.0.0.1:1 "])
    assert settings.peer_addresses == [("shim.anka-system", 8090), ("fd00::1", 80), ("10.0.0.1", 1)]
    assert load(ShimSettings, "anka-shim", []).peer_addresses == []


def test_replicas_need_a_key_where_clients_need_credentials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token, key = tmp_path / "token", tmp_path / "key"
    token.write_text("root token")
    key.write_text("k" * 32)
    closed = ["--enable-auth", f"--root-token-file={token}"]
    load(ShimSettings, "anka-shim", closed)
    load(ShimSettings, "anka-shim", [*closed, "--peers=shim:8090", f"--peer-key-file={key}"])
    for flags, line in (
        ([*closed, "--peers=shim:8090"], "peers: with --enable-auth, they need --peer-key-file"),
        ([f"--peer-key-file={token}"], "must have at least 32 characters, and has 10"),
    ):
        with pytest.raises(SystemExit):
            load(ShimSettings, "anka-shim", flags)
        assert line in capsys.readouterr().err


def test_what_is_off_unless_asked_for() -> None:
    settings = load(ShimSettings, "anka-shim", [])
    assert (settings.rate_limit, settings.trusted_proxies, settings.dedupe_external_id_seconds) == ("", "", 0)
    assert settings.agent_version == package_version()
    many = load(ShimSettings, "anka-shim", ["--trusted-proxies", "10.0.0.0/8,::1,*", "--rate-limit", "9 per 5 minutes"])
    assert many.rate_limit == "9 per 5 minutes"


@pytest.mark.parametrize(
    ("flags", "seal", "told"),
    [
        ([], "k" * 32, "enable-api-keys: needs --enable-auth"),
        (["--enable-auth", "--peers", "a:1"], None, "enable-api-keys: needs --seal-key-file with --peers"),
        (["--enable-auth"], "k" * 31, "must have at least 32 characters"),
        (["--enable-auth"], "k" * 32 + "\nshort", "each line must be a key of at least 32 characters"),
        (["--enable-auth", "--peers", "a:1"], "k" * 32 + "\n" + "j" * 32, None),
        (["--enable-auth"], None, None),
    ],
)
def test_api_keys_need_a_login_and_among_replicas_a_common_seal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], seal: str | None, told: str | None
) -> None:
    root = tmp_path / "root"
    root.write_text("a token of the tests")
    peer = tmp_path / "peer"
    peer.write_text("p" * 32)
    files = ["--root-token-file", str(root), "--peer-key-file", str(peer)]
    arguments = ["--enable-api-keys", *files, *flags]
    if seal is not None:
        (tmp_path / "seal").write_text(seal)
        arguments += ["--seal-key-file", str(tmp_path / "seal")]
    if told is None:
        assert load(ShimSettings, "anka-shim", arguments).enable_api_keys
        return
    with pytest.raises(SystemExit) as ended:
        load(ShimSettings, "anka-shim", arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert told in said
    assert "kkkk" not in said


def test_authorization_needs_a_login(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "root"
    root.write_text("a token of the tests")
    login = ["--enable-auth", "--root-token-file", str(root)]
    assert not load(ShimSettings, "anka-shim", login).enable_authorization
    assert load(ShimSettings, "anka-shim", [*login, "--enable-authorization"]).enable_authorization
    with pytest.raises(SystemExit):
        load(ShimSettings, "anka-shim", ["--enable-authorization"])
    assert "enable-authorization: needs --enable-auth" in capsys.readouterr().err


def test_tokens_of_the_cluster_need_a_login(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        load(ShimSettings, "anka-shim", ["--enable-kubernetes-tokens"])
    assert ended.value.code == 2
    assert "enable-kubernetes-tokens: needs --enable-auth" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--oidc-client-id=a"], "oidc-provider-url: needs --enable-auth"),
        (["--enable-auth"], "oidc-provider-url: needs --oidc-client-id"),
        (["--enable-auth", "--oidc-client-id=a"], "oidc-provider-url: needs --enable-authorization"),
        (
            ["--enable-auth", "--oidc-client-id=a", "--oidc-provider-url=http://id.example.com"],
            "must begin with https://",
        ),
        (["--enable-auth", "--oidc-client-id=a", "--oidc-ca-file=/does/not/exist"], "oidc-ca-file"),
        (
            ["--enable-auth", "--enable-authorization", "--oidc-client-id=a", "--oidc-client-secret-file=ROOT"],
            "needs --site-url",
        ),
        (
            [
                "--enable-auth",
                "--enable-authorization",
                "--oidc-client-id=a",
                "--oidc-client-secret-file=ROOT",
                "--site-url=https://a",
                "--peers=a:1",
                "--peer-key-file=ROOT",
            ],
            "oidc-client-secret-file: needs --seal-key-file with --peers",
        ),
        (["--enable-auth", "--oidc-client-id=a", "--site-url=https://a/portal"], "site-url: must begin with https://"),
    ],
)
def test_oidc_needs_a_login_a_client_and_a_safe_url(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], told: str
) -> None:
    root = tmp_path / "root"
    root.write_text("a token of the tests, of 32 characters")
    flags = ["--oidc-provider-url=https://id.example.com", "--root-token-file=ROOT", *flags]
    with pytest.raises(SystemExit) as ended:
        load(ShimSettings, "anka-shim", [flag.replace("ROOT", str(root)) for flag in flags])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
