"""How the agent's commands log in at the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka
from anka_agent.anka.registry_options import RegistryOptions, make_options
from anka_agent.settings import AgentSettings
from support.fake_anka import FakeAnka

URL = "https://r:8089"
KEY = RegistryOptions(URL, ("--api-key-id", "mac", "--api-key", "/etc/key.pem"))


def test_the_options_of_all_settings() -> None:
    settings = AgentSettings.model_construct(
        registry_url=URL,
        registry_ca_file=Path("/ca"),
        registry_cert_file=Path("/cert"),
        registry_key_file=Path("key"),
        registry_api_key_id="mac",
        registry_api_key_file=Path("/pem"),
    )
    found = make_options(settings)
    assert found.url == URL
    words = " ".join(found.words)
    here = Path("key").absolute()
    assert words == f"--api-key-id mac --api-key /pem --cert /cert --key {here} --cacert /ca"
    assert make_options(AgentSettings.model_construct(registry_url=URL)).words == ()


@pytest.mark.parametrize(
    ("remote", "logs_in"),
    [
        (URL, True),
        (f"{URL}/", True),
        (None, False),
        ("https://r:8090", False),
        ("https://r:8089.evil", False),
        ("http://r:8089", False),
        ("", False),
    ],
)
async def test_they_are_for_the_registry_of_the_settings_only(
    fake_anka: FakeAnka, remote: str | None, logs_in: bool
) -> None:
    anka = AnkaCli(Anka(str(fake_anka.path)), KEY)
    fake_anka.answer([])
    await anka.registry_names(remote=remote)
    push = anka.push_command("u", "v", description="", target=None, remote=remote)
    for line in (fake_anka.calls[-1], push):
        assert ("--api-key-id mac --api-key /etc/key.pem" in " ".join(line)) is logs_in
