"""The language of the code: class names are unique, end in a term of the glossary, and functions are named by verbs.

A class name is read from its end: `SchedulingQueue` is a queue. That its last words must be a term of
docs/reference/glossary.md keeps two words for one thing out of the code, and makes a new word be explained once.
Exceptions are exempt: they may be named by what happened, `NotFound`.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
GLOSSARY = ROOT / "docs" / "reference" / "glossary.md"
PRODUCT = ("crds", "lib", "operator", "agent", "api-shim")

ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
CLASS = re.compile(r"`([A-Z]\w*[a-z]\w*)`")
WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z0-9]*|[A-Z]+")
LONGEST_TERM = 3
"""Words of a term, at most."""

MAX_PARTICIPLES = 0.03
"""Share of functions whose name begins with a participle: `told`, `bounded`. A reader cannot tell whether such a
function asks, changes or makes something. kopf has 2.6 %, starlette 1.6 %."""
IRREGULAR = re.compile(
    "held|told|kept|made|taken|given|gone|shown|known|seen|found|sent|built|met|left|lost|chosen|written|begun|done|"
    "meant|said|bound|spent|grown"
)
VERBS_IN_ED = re.compile("need|feed|seed|embed|exceed|proceed|speed|heed|bleed|shed")
PREDICATES = ("is_", "has_", "can_", "on_")


@dataclass(frozen=True)
class Named:
    name: str
    place: str
    bases: frozenset[str] = frozenset()


@cache
def trees() -> dict[str, ast.Module]:
    paths = [path for folder in PRODUCT for path in sorted((ROOT / folder).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@cache
def classes() -> list[Named]:
    """Public classes of the product."""
    return [
        Named(node.name, f"{place}:{node.lineno}", frozenset(ast.unparse(base) for base in node.bases))
        for place, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


@cache
def functions() -> list[Named]:
    return [
        Named(node.name.strip("_"), f"{place}:{node.lineno}")
        for place, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def exceptions() -> set[str]:
    """Names of exception classes, found through their bases."""
    found = {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)}
    while more := {one.name for one in classes() if one.bases & found} - found:
        found |= more
    return found


def terms() -> dict[str, str]:
    """Term -> meaning."""
    found: dict[str, str] = {}
    for term, meaning in ROW.findall(GLOSSARY.read_text(encoding="utf-8")):
        if term not in ("term", "---"):
            assert term.lower() not in found, f"{term} is twice in the glossary"
            found[term.lower()] = meaning
    return found


def endings(name: str) -> Iterator[str]:
    """The last words of a class name, most words first: `RateLimit` -> `rate limit`, `limit`."""
    words = [word.lower() for word in WORD.findall(name)]
    for count in range(min(LONGEST_TERM, len(words)), 0, -1):
        yield " ".join(words[-count:])


def has_term(name: str, known: set[str]) -> bool:
    forms = (form for ending in endings(name) for form in (ending, ending.removesuffix("s"), ending.removesuffix("es")))
    return any(form in known for form in forms)


def is_participle(name: str) -> bool:
    first = name.partition("_")[0]
    if name.startswith(PREDICATES) or VERBS_IN_ED.fullmatch(first):
        return False
    return bool(IRREGULAR.fullmatch(first)) or first.endswith("ed")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SchedulingQueue", ["scheduling queue", "queue"]),
        ("HTTPRoute", ["http route", "route"]),
        ("V1", ["v1"]),
        ("TemplateDistributionStatus", ["template distribution status", "distribution status", "status"]),
    ],
)
def test_endings(name: str, expected: list[str]) -> None:
    assert list(endings(name)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("told", True),
        ("bounded_by", True),
        ("settled", True),
        ("is_bound", False),
        ("read", False),
        ("embed", False),
        ("reader", False),
        ("bind", False),
    ],
)
def test_participles(name: str, expected: bool) -> None:
    assert is_participle(name) is expected


def test_terms_match_plurals() -> None:
    assert has_term("HealthChecks", {"check"})
    assert has_term("Settings", {"settings"})
    assert not has_term("Asked", {"check"})


def test_class_names_are_unique() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for one in classes():
        places[one.name].append(one.place)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_a_class_name_ends_in_a_term() -> None:
    known = set(terms())
    exempt = exceptions()
    named = [one for one in classes() if one.name not in exempt]
    assert [f"{one.name} ({one.place})" for one in named if not has_term(one.name, known)] == []


def test_terms_are_used() -> None:
    """A term that no class, function or page has any more is no term."""
    text = "\n".join(
        [
            *(path.read_text() for path in (ROOT / "docs").rglob("*.md") if path != GLOSSARY),
            *(one.name for one in (*classes(), *functions())),
        ]
    ).lower()
    unused = [
        term
        for term in terms()
        if not any(form in text for form in (term, term.replace(" ", ""), term.replace(" ", "_")))
    ]
    assert unused == []


def test_classes_that_the_glossary_names_exist() -> None:
    existing = {one.name for one in classes()}
    named = {name for meaning in terms().values() for name in CLASS.findall(meaning)}
    assert named - existing == set()
    assert len(named) >= 20


def test_functions_are_named_by_verbs() -> None:
    every = functions()
    participles = [one for one in every if is_participle(one.name)]
    assert len(participles) < MAX_PARTICIPLES * len(every), [f"{one.name} ({one.place})" for one in participles]
