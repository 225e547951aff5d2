"""Files that configure an old controller are read: env files, INI, docker-compose."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.old_settings.environment_file import UnreadableEnvironment, parse

COMPOSE = """
version: '2'
services:
  anka-controller:
    image: controller
    environment:
      ANKA_LISTEN_ADDR: :80
      ANKA_ENABLE_AUTH: true
      ANKA_INSTANCE_TIME_OUT: 1m
      ANKA_ROOT_TOKEN: ${TOKEN}
      ANKA_V:
    env_file: [more.env]
  anka-registry:
    environment: [ANKA_BASE_PATH=/x]
  etcd: {image: etcd}
"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("ANKA_V=4", {"ANKA_V": "4"}),
        ("export ANKA_V=4", {"ANKA_V": "4"}),
        ("  ANKA_V = 4  ", {"ANKA_V": "4"}),
        ("ANKA_V=4 # more", {"ANKA_V": "4"}),
        ("ANKA_ROOT_TOKEN=a#b", {"ANKA_ROOT_TOKEN": "a#b"}),
        ("ANKA_ROOT_TOKEN='a # b'", {"ANKA_ROOT_TOKEN": "a # b"}),
        ('ANKA_ROOT_TOKEN="a=b" # x', {"ANKA_ROOT_TOKEN": "a=b"}),
        ("ANKA_V=", {"ANKA_V": ""}),
        ("enable-auth = true", {"ANKA_ENABLE_AUTH": "true"}),
        ("enable_auth=true", {"ANKA_ENABLE_AUTH": "true"}),
        ("# comment", {}),
        ("; comment", {}),
        ("[controller]", {}),
        ("", {}),
    ],
)
def test_lines(line: str, found: dict[str, str]) -> None:
    assert parse(f"\n{line}\r\n").settings == found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("ANKA_V", "line 1: must be NAME=VALUE"),
        ("\nANKA V=1", "line 2: the name of a setting has letters, digits and _ only"),
        ("ANKA_ROOT_TOKEN='secret1", "line 1: a quote is not closed, or something follows it"),
        ("ANKA_ROOT_TOKEN='secret1'x", "line 1: a quote is not closed, or something follows it"),
        ("services:\n  a: [secret1", "line 2: this is not YAML"),
        ("services: secret1", "services: must have the services of docker-compose"),
        ("services:\n  a: {environment: secret1}", "services.a.environment: must be a mapping or a list of NAME=VALUE"),
        ("services:\n  a: {environment: {ANKA_V: [secret1]}}", "services.a.environment.ANKA_V: must be a text"),
        ("services:\n  a: {env_file: x}\n  b: {env_file: y}",
         "which service is the controller? Give --service: a, b"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(text: str, fault: str) -> None:
    with pytest.raises(UnreadableEnvironment) as caught:
        parse(text)
    assert str(caught.value) == fault


def test_compose() -> None:
    found = parse(COMPOSE)
    assert found.settings == {"ANKA_LISTEN_ADDR": ":80", "ANKA_ENABLE_AUTH": "true", "ANKA_INSTANCE_TIME_OUT": "1m"}
    assert found.remarks == [
        "ANKA_ROOT_TOKEN: its value refers to a variable, which is not known here: put the value in",
        "ANKA_V: takes its value from the shell that starts docker-compose: put the value in",
        "services.anka-controller.env_file: is a file of its own: translate that one as well",
    ]


def test_another_service() -> None:
    assert parse(COMPOSE, "anka-registry").settings == {"ANKA_BASE_PATH": "/x"}
    with pytest.raises(UnreadableEnvironment, match="there is no service x: anka-controller, anka-registry, etcd"):
        parse(COMPOSE, "x")
    with pytest.raises(UnreadableEnvironment, match="this one has no services"):
        parse("ANKA_V=1", "x")


def test_a_deep_document_is_a_fault() -> None:
    with pytest.raises(UnreadableEnvironment, match="this is not YAML"):
        parse("services: " + "[" * 50_000)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UnreadableEnvironment):
        assert all(name.startswith("ANKA_") for name in parse(text).settings)
