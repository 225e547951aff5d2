"""The places that docs/contribute/architecture.md sends a reader to exist, and have what it says."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "contribute" / "architecture.md"
PLACE = re.compile(
    r"`((?:crds|lib|operator|agent|api-shim|dev|docs|tests|charts|examples)/[\w./-]+)`(?:: (?:a line of )?`(\w+)`)?"
)
CHANGES = 10
"""What a newcomer looks for, by the issue that asked for this page."""


def places() -> list[tuple[str, str]]:
    """Each path of the page, with the name that it says is there."""
    return PLACE.findall(PAGE.read_text())


def rows(heading: str) -> list[str]:
    part = PAGE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in part.splitlines() if line.startswith("| ") and not line.startswith(("| change", "| ---"))]


@pytest.mark.parametrize(("path", "name"), sorted(set(places())))
def test_the_place_exists(path: str, name: str) -> None:
    target = ROOT / path
    assert target.exists()
    if name:
        assert re.search(rf"\b{name}\b", target.read_text()), f"{path} has no {name}"


def test_every_change_has_a_place() -> None:
    found = rows("Where do I change …")
    assert len(found) >= CHANGES
    assert all(PLACE.search(line.split(" | ")[1]) for line in found)


def test_every_package_is_described() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    packages = contracts["importlinter"]["root_packages"].split()
    page = (PAGE.parent / "development.md").read_text()
    assert len(packages) >= 10
    assert [package for package in packages if f"`{package}`" not in page] == []


def test_names_are_checked() -> None:
    assert ("crds/anka_crds/api/states.py", "NodeState") in places()
    assert sum(bool(name) for _, name in places()) >= CHANGES
