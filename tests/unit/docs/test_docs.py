"""README.md and docs/ are true as far as a program can tell: links, flags, metrics and manifests."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from pydantic import BaseModel

from anka_agent.settings import AgentSettings
from anka_crds.api import KINDS
from anka_operator.settings import OperatorSettings
from anka_shim.settings import ShimSettings

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
MODELS = {model.__name__: model for model in KINDS}

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FLAG = re.compile(r"`--([a-z][a-z0-9-]*)`")
METRIC = re.compile(r"`(anka_(?:kube|operator|agent|shim)_\w+)`")
MANIFEST = re.compile(r"<!-- manifest -->\n```yaml\n(.*?)```", re.DOTALL)


def code_of(settings: type[BaseModel]) -> set[str]:
    return {name.replace("_", "-") for name in settings.model_fields}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tables(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Each table: the first cell of its head, and the first cells of its rows."""
    head, rows = "", []
    for line in [*page.read_text().splitlines(), ""]:
        if line.startswith("|"):
            cell = line.strip("|").split("|")[0].strip()
            if not head:
                head = cell
            elif set(cell) != {"-"}:
                rows.append(cell)
        elif head:
            yield head, rows
            head, rows = "", []


def flags(page: str, head: str) -> set[str]:
    found = [rows for title, rows in tables(DOCS / page) if title == head and any("`--" in row for row in rows)]
    assert len(found) == 1, f"{page} has {len(found)} tables of flags headed {head}"
    return set(FLAG.findall(" ".join(found[0])))


def metrics_of_tables() -> set[str]:
    return {name for _, rows in tables(DOCS / "operating.md") for row in rows for name in METRIC.findall(row)}


def registered() -> set[str]:
    """Names as Prometheus shows them."""
    for process in ("anka_operator.app", "anka_agent.app", "anka_shim.app"):
        importlib.import_module(process)
    families = [family for family in REGISTRY.collect() if family.name.startswith("anka_")]
    return {f"{family.name}_total" if family.type == "counter" else family.name for family in families}


def manifests() -> list[Any]:
    return [
        pytest.param(data, id=f"{name_of(page)}-{number}")
        for page in PAGES
        for number, text in enumerate(MANIFEST.findall(page.read_text()), 1)
        for data in yaml.safe_load_all(text)
    ]


def unknown_fields(data: dict[str, Any], parsed: dict[str, Any], path: str = "") -> list[str]:
    """Paths that a model dropped: what the apiserver refuses under strict field validation."""
    missing = []
    for key, value in data.items():
        where = f"{path}.{key}"
        if key not in parsed:
            missing.append(where)
        elif isinstance(value, dict) and isinstance(parsed[key], dict):
            missing += unknown_fields(value, parsed[key], where)
        elif isinstance(value, list):
            for number, (ours, theirs) in enumerate(zip(value, parsed[key], strict=True)):
                if isinstance(ours, dict):
                    missing += unknown_fields(ours, theirs, f"{where}[{number}]")
    return missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)} links to {link}: there is no such file"
        if anchor:
            assert anchor in anchors(target), f"{name_of(page)} links to {link}: there is no such heading"


def test_every_page_is_in_the_index() -> None:
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall((DOCS / "README.md").read_text())}
    assert set(DOCS.rglob("*.md")) - {DOCS / "README.md"} <= linked


@pytest.mark.parametrize(
    ("page", "head", "settings", "described_elsewhere"),
    [
        ("nodes.md", "flag", AgentSettings, set()),
        ("operating.md", "operator", OperatorSettings, {"kubeconfig", "log-level", "log-format"}),
        ("operating.md", "shim", ShimSettings, {"kubeconfig", "log-level", "log-format"}),
    ],
)
def test_tables_of_flags_are_complete(
    page: str, head: str, settings: type[BaseModel], described_elsewhere: set[str]
) -> None:
    assert flags(page, head) == code_of(settings) - described_elsewhere


def test_flags_anywhere_else_exist() -> None:
    known = code_of(AgentSettings) | code_of(OperatorSettings) | code_of(ShimSettings)
    for page in ("nodes.md", "operating.md", "instances.md", "rest-api.md", "templates.md", "installing.md"):
        assert set(FLAG.findall((DOCS / page).read_text())) - known <= {"wait", "help"}, page


def test_tables_of_metrics_are_complete() -> None:
    assert metrics_of_tables() == registered()


@pytest.mark.parametrize("data", manifests())
def test_manifests_parse_strictly(data: dict[str, Any]) -> None:
    parsed = MODELS[data["kind"]].model_validate(data)
    assert unknown_fields(data, parsed.to_api()) == []


def test_there_are_manifests() -> None:
    assert len(manifests()) >= 3
