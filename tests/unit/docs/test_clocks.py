"""docs/operate/clocks.md names every time in the objects, and says by whose clock it is judged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from anka_crds.api import AnkaInstance, AnkaNode, AnkaTemplate, NodeGroup, SaveImage, TemplateDistribution

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operate" / "clocks.md").read_text()
ROWS = {
    match[1]: [cell.strip() for cell in match[2].split("|")]
    for match in re.finditer(r"^\| `([^`]+)` \| (.*) \|$", PAGE, re.MULTILINE)
}
KINDS: tuple[type[BaseModel], ...] = (
    AnkaInstance,
    AnkaNode,
    AnkaTemplate,
    NodeGroup,
    SaveImage,
    TemplateDistribution,
)


def parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from parts(inner)


def times(model: type[BaseModel], path: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        place = f"{path}.{field.alias or name}".lstrip(".")
        for part in parts(field.annotation):
            if part is datetime:
                yield place
            elif isinstance(part, type) and issubclass(part, BaseModel):
                yield from times(part, place)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_time_of_an_object_has_a_row(kind: type[BaseModel]) -> None:
    missing = [place for place in times(kind, "") if place not in ROWS and f"{kind.__name__} {place}" not in ROWS]
    assert missing == []


def test_every_row_is_a_time() -> None:
    known = {f"{kind.__name__} {place}" for kind in KINDS for place in times(kind, "")}
    fields = [name for name in ROWS if re.match(r"(metadata|status|spec|[A-Z]\w+ (status|spec))\b", name)]
    assert len(fields) >= 20
    for name in fields:
        assert name in known or any(place.endswith(f" {name}") for place in known), name


def test_what_another_judges_is_never_a_machine_s_own_time() -> None:
    for name, (_, clock, judged) in ((name, cells) for name, cells in ROWS.items() if len(cells) == 3):
        own = clock not in ("API", "as in the spec", "anybody's")
        assert not own or judged.startswith(("nothing", "the same")), name
