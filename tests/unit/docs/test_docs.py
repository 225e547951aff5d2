"""README.md and docs/ are true as far as a program can tell: links, flags, metrics and manifests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from anka_agent.settings import AgentSettings
from anka_crds.api import KINDS
from anka_operator.settings import OperatorSettings
from anka_scheduler import reasons
from anka_shim.settings import ShimSettings
from localkube.programs.versions import ETCD, HELM_VERSION, KUBERNETES
from support.pages import anchors
from support.promql import known

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
MODELS = {model.__name__: model for model in KINDS}

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FLAG = re.compile(r"`--([a-z][a-z0-9-]*)`")
METRIC = re.compile(r"\banka_(?:kube|operator|agent|shim)_\w+(?![\w.])")
OF_KUBECTL = {"wait", "help", "force-conflicts"}
OF_OTHER_PROGRAMS = {"clients.md", "first-mac.md", "from-the-old-controller.md", "migrate.md", "install.md"}
MANIFEST = re.compile(r"<!-- manifest -->\n```yaml\n(.*?)```", re.DOTALL)


def flags_of(settings: type[BaseModel]) -> set[str]:
    """With those that turn off what is on by default."""
    off = {f"no_{name}" for name, field in settings.model_fields.items() if field.default is True}
    return {name.replace("_", "-") for name in settings.model_fields.keys() | off}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


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
            assert anchor in anchors(target.read_text()), f"{name_of(page)} links to {link}: there is no such heading"


def test_every_page_is_in_the_index() -> None:
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall((DOCS / "README.md").read_text())}
    assert set(DOCS.rglob("*.md")) - {DOCS / "README.md"} <= linked


def test_flags_exist() -> None:
    known = set().union(*(flags_of(model) for model in (AgentSettings, OperatorSettings, ShimSettings)))
    for page in [*(DOCS / "start").glob("*.md"), *(DOCS / "use").glob("*.md"), *(DOCS / "operate").rglob("*.md")]:
        if page.name not in OF_OTHER_PROGRAMS:
            assert set(FLAG.findall(page.read_text())) - known <= OF_KUBECTL, name_of(page)


def test_flags_that_describe_a_node() -> None:
    """The table of nodes.md has those that make the spec of a new AnkaNode, and no other."""
    [rows] = [rows for head, rows in tables(DOCS / "operate" / "nodes.md") if head == "flag"]
    plain = AgentSettings(_cli_parse_args=False).node()
    other: dict[str, Any] = {
        "name": "x",
        "host": "x",
        "groups": "x",
        "capacity_mode": "resource",
        "max_vm_count": 1,
        "vcpu_override": 1,
        "ram_override": 1,
        "drain_mode": True,
        "reserve_space": 1,
        "vm_prefix": "x-",
        "disable_central_logging": True,
    }
    described = {f"--{name.replace('_', '-')}" for name in other}
    assert {f"--{flag}" for flag in FLAG.findall(" ".join(rows))} == described
    for name, value in other.items():
        assert AgentSettings(_cli_parse_args=False, **{name: value}).node().spec != plain.spec, name
    assert AgentSettings(_cli_parse_args=False, secret_timeout=1.0).node().spec == plain.spec


def test_every_rejection_is_explained() -> None:
    words = [
        one for value in vars(reasons).values() for one in (value.values() if isinstance(value, dict) else [value])
    ]
    rejections = [one for one in words if isinstance(one, reasons.Rejection)]
    assert len(rejections) > 8
    explained = (DOCS / "use" / "scheduling.md").read_text()
    # With spec.node that node alone is looked at: it is no obstacle that people meet.
    assert [one.singular for one in rejections if f"`{one.singular}`" not in explained] == ["not the requested node"]


def test_metrics_exist() -> None:
    names = {re.sub("_(bucket|sum|count)$", "", name) for name in known()} | known().keys()
    for page in PAGES:
        assert set(METRIC.findall(page.read_text())) <= names, name_of(page)


def test_tested_versions_are_those_of_the_tests() -> None:
    text = (DOCS / "reference" / "versions.md").read_text()
    assert f"kube-apiserver {KUBERNETES}" in text
    assert f"| etcd | {ETCD}," in text
    assert f"| Helm | {HELM_VERSION} |" in text


@pytest.mark.parametrize("data", manifests())
def test_manifests_parse_strictly(data: dict[str, Any]) -> None:
    parsed = MODELS[data["kind"]].model_validate(data)
    assert unknown_fields(data, parsed.to_api()) == []


def test_there_are_manifests() -> None:
    assert len(manifests()) >= 3
