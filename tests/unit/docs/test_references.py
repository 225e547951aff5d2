"""No reference in code, tests, charts or docs leads nowhere: pages, anchors and numbers of decisions."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from support.pages import anchors

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
DECISIONS = DOCS / "contribute" / "decisions"
TEXT = {".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".txt", ".tpl", ".json", ""}

PAGE = re.compile(r"\bdocs/([\w/-]+\.md)(?:#([\w-]+))?")
RULE = re.compile(r"\blegacy-api\.md#([\w-]+)")
DECISION = re.compile(r"\bdecisions?[ /](\d+)\b", re.IGNORECASE)
LINKED_DECISION = re.compile(r"\[([^\]]*)\]\([^)]*?(\d{4})-[\w-]+\.md\)")
NOWHERE = re.compile(r"seed document|legacy-clients|\bhazards? \d", re.IGNORECASE)


@cache
def files() -> dict[str, str]:
    """Text of every file that Git knows, by path."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in paths
        if path.suffix in TEXT and path.is_file() and path != Path(__file__)
    }


def problems(name: str, text: str) -> Iterator[str]:
    for page, anchor in PAGE.findall(text):
        if not (DOCS / page).is_file():
            yield f"{name}: there is no docs/{page}"
        elif anchor and anchor not in anchors((DOCS / page).read_text()):
            yield f"{name}: docs/{page} has no #{anchor}"
    rules = anchors((DOCS / "reference" / "legacy-api.md").read_text())
    yield from (f"{name}: legacy-api.md has no #{rule}" for rule in RULE.findall(text) if rule not in rules)
    for number in map(int, DECISION.findall(text)):
        if not list(DECISIONS.glob(f"{number:04}-*.md")):
            yield f"{name}: there is no decision {number}"
    for words, number in LINKED_DECISION.findall(text):
        for shown in DECISION.findall(words):
            if int(shown) != int(number):
                yield f"{name}: calls decision {int(number)} decision {shown}"
    yield from (f"{name}: {words!r} leads nowhere" for words in NOWHERE.findall(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See docs/README.md and docs/reference/legacy-api.md#start-vm.", []),
        ("docs/nope.md", ["x: there is no docs/nope.md"]),
        (
            "docs/reference/legacy-api.md#nope",
            ["docs/reference/legacy-api.md has no #nope", "legacy-api.md has no #nope"],
        ),
        ("[decision 4](contribute/decisions/0004-read-your-writes.md)", []),
        ("[decision 5](contribute/decisions/0004-read-your-writes.md)", ["calls decision 4 decision 5"]),
        ("decision 99", ["there is no decision 99"]),
        ("(the seed document)", ["'seed document' leads nowhere"]),
        ("legacy-clients section 3", ["'legacy-clients' leads nowhere"]),
        ("hazard 2", ["'hazard 2' leads nowhere"]),
    ],
)
def test_what_leads_nowhere_is_found(text: str, found: list[str]) -> None:
    assert list(problems("x", text)) == [line if line.startswith("x: ") else f"x: {line}" for line in found]


def test_every_reference_leads_somewhere() -> None:
    assert [problem for name, text in files().items() for problem in problems(name, text)] == []


def test_there_are_references() -> None:
    assert sum(len(RULE.findall(text)) for name, text in files().items() if name.endswith(".py")) >= 20


@pytest.mark.parametrize("path", sorted(DECISIONS.glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_has_its_number_in_its_title(path: Path) -> None:
    assert path.read_text().startswith(f"# {int(path.stem[:4])}. ")
