"""Where a page names the default of a flag, "`--lease-duration` (40 s)", it is that of the settings.

The tables of docs/reference/settings.md are generated: `make lint` compares them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from anka_agent.settings import AgentSettings
from anka_operator.settings import OperatorSettings
from anka_shim.settings import ShimSettings

DOCS = Path(__file__).parents[3] / "docs"
SETTINGS: tuple[type[BaseModel], ...] = (AgentSettings, OperatorSettings, ShimSettings)
MENTION = re.compile(r"`--([a-z][a-z0-9-]*)`\s\((\d+(?:\.\d+)?)(?: s| %)?\)")


def mentions() -> list[tuple[str, str, float]]:
    """Page, flag and the number behind it."""
    return [
        (str(page.relative_to(DOCS)), flag, float(number))
        for page in sorted(DOCS.rglob("*.md"))
        for flag, number in MENTION.findall(page.read_text())
    ]


@pytest.mark.parametrize(("page", "flag", "number"), mentions())
def test_the_number_is_the_default(page: str, flag: str, number: float) -> None:
    name = flag.replace("-", "_")
    fields = [model.model_fields[name] for model in SETTINGS if name in model.model_fields]
    assert number in [field.default for field in fields], page


def test_pages_name_defaults() -> None:
    expected = {"lease-duration", "node-lost-seconds", "poll", "network-timeout", "registry-seconds"}
    assert expected <= {flag for _, flag, _ in mentions()}
