"""What the chart lets people set is explained, checked and documented: all of it, in all three places."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "anka-cloud"
TEXT = (CHART / "values.yaml").read_text()
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
LINE = re.compile(r"^(?P<indent> *)(?P<name>[A-Za-z]+):(?P<value>.*)$")
ROW = re.compile(r"^\| `([A-Za-z.]+)` \| `(.*?)` \| (.+) \|$", re.MULTILINE)


def explained() -> dict[str, tuple[str, str]]:
    """Each value by its dotted name: its default as written, and the comment above it."""
    found: dict[str, tuple[str, str]] = {}
    path: list[str] = []
    comment: list[str] = []
    for line in TEXT.splitlines():
        if line.strip().startswith("#"):
            comment.append(line.strip()[1:].strip())
            continue
        if match := LINE.match(line):
            path = [*path[: len(match["indent"]) // 2], match["name"]]
            if value := match["value"].strip():
                found[".".join(path)] = (value, " ".join(comment))
        comment = []
    return found


def leaves(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, item in schema["properties"].items():
        if item.get("additionalProperties") is False:
            yield from leaves(item, f"{path}{name}.")
        else:
            yield path + name


def test_every_value_is_explained() -> None:
    assert [name for name, (_, comment) in explained().items() if not comment] == []


def test_the_schema_knows_the_same_values_and_takes_no_other() -> None:
    # global is what helm itself adds for a chart that another one uses.
    assert set(leaves(SCHEMA)) - {"global"} == set(explained())
    assert SCHEMA["additionalProperties"] is False


def test_the_page_says_what_the_file_says() -> None:
    rows = {
        name: (value, meaning)
        for name, value, meaning in ROW.findall((ROOT / "docs" / "reference" / "values.md").read_text())
    }
    assert rows == explained()


def test_the_chart_has_the_version_of_the_code() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    [version] = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert chart["appVersion"] == version


def test_the_chart_is_made_of_the_plain_manifests() -> None:
    """Links, not copies: they can't drift."""
    assert (CHART / "files" / "base").resolve() == ROOT / "charts" / "base"
    assert (CHART / "crds").resolve() == ROOT / "crds"
    texts = [file.read_text() for file in (CHART / "templates").glob("*.yaml")]
    used = {name for text in texts for name in re.findall(r'"([a-z-]+\.yaml)"', text)}
    assert used == {file.name for file in (ROOT / "charts" / "base").glob("*.yaml")} - {"namespaces.yaml"}
