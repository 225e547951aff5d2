"""Flags of the operator, and what a person reads who got one wrong."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from anka_operator.cli.main import main
from anka_operator.settings import OperatorSettings
from anka_runtime.settings import load


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """`main` sets up logging for the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_defaults() -> None:
    settings = load(OperatorSettings, "anka-operator", [])
    assert (settings.health_port, settings.namespace, settings.lease_name) == (8081, "anka-system", "anka-operator")
    assert (settings.node_namespace, settings.node_lost_seconds) == ("anka-nodes", 300)
    assert settings.identity


def test_flags_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANKA_NODE_LOST_SECONDS", "7")
    settings = load(
        OperatorSettings,
        "anka-operator",
        ["--registry-url=http://registry:8089/", "--log-level=debug", "--health-port=0"],
    )
    assert (settings.registry_url, settings.log_level, settings.health_port) == ("http://registry:8089", "DEBUG", 0)
    assert settings.node_lost_seconds == 7


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--registry-url=registry:8089"], "--registry-url: must begin with http:// or https://"),
        (["--registry-url=http://"], "--registry-url: must begin with http:// or https://, and name a host"),
        (["--health-port=99999"], "--health-port: Input should be less than or equal to 65535"),
        (["--node-lost-seconds=soon"], "--node-lost-seconds: "),
        (["--leader-retry-seconds=30"], "--leader-retry-seconds < --leader-renew-seconds"),
        (["--log-format=xml"], "--log-format: "),
        (["--enable-event-log"], "--enable-event-log needs --registry-url or --event-log-url: where it is written"),
        (["--event-log-url=http://e"], "--event-log-url needs --enable-event-log too"),
        (["--event-log-url=e"], "--event-log-url: must begin with http:// or https://, and name a host"),
        (["--event-log-url=http://u:p@e/x"], "headers-file (given: 'http://[hidden]@e/x')"),
        (["--event-log-format=xml"], "--event-log-format: "),
        (["--event-log-headers-file=/none"], "--event-log-headers-file: /none cannot be read"),
        (["--agent-updates=0"], "--agent-updates: must be a number of Macs from 1, or a percentage from 1% to 100%"),
        (["--agent-updates=101%"], "--agent-updates: must be a number of Macs"),
    ],
)
def test_wrong_flags_are_one_line(argv: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("anka-operator: ")
    assert words in lines[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "does not exist or is not a file"),
        ("{", "is not valid YAML"),
        ("", "is empty"),
    ],
)
def test_a_bad_kubeconfig_is_one_line(
    text: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SystemExit) as ended:
        main([f"--kubeconfig={path}"])
    assert ended.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line]
    assert len(lines) == 1
    assert words in lines[0]


def test_where_the_event_log_goes(tmp_path: Path) -> None:
    headers = tmp_path / "headers"
    headers.write_text("Authorization: Bearer x")
    flags = ["--enable-event-log", "--event-log-url=http://e/", f"--event-log-headers-file={headers}"]
    settings = load(OperatorSettings, "anka-operator", flags)
    assert (settings.event_log_url, settings.event_log_format) == ("http://e/", "json")
    headers.write_text("a secret that is no header")
    with pytest.raises(SystemExit):
        load(OperatorSettings, "anka-operator", flags)


def test_headers_that_are_none_are_not_repeated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    headers = tmp_path / "headers"
    headers.write_text("a secret that is no header")
    with pytest.raises(SystemExit):
        load(OperatorSettings, "anka-operator", ["--enable-event-log", f"--event-log-headers-file={headers}"])
    said = capsys.readouterr().err
    assert "line 1 is no header: it must be Name: value" in said
    assert "a secret" not in said
