"""``docs/reference/legacy-fields.md`` as data, and paths into the models."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from anka_crds.api import KINDS

ROOT = Path(__file__).resolve().parents[2]
PLACE = re.compile(r"`(\w+) ([\w.]+)`")
MODELS = {model.__name__: model for model in KINDS}


@dataclass(frozen=True)
class Entry:
    heading: str
    old: str
    place: str
    how: str = ""


def entries() -> list[Entry]:
    heading, found = "", []
    for line in (ROOT / "docs" / "reference" / "legacy-fields.md").read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ").strip()
        elif line.startswith("| ") and not line.startswith(("| old", "| place", "| ---")):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found.append(Entry(heading, *cells[:3]))
    return found


def resolve(kind: str, path: str) -> Any:
    """The annotation at a path of wire names, through optional fields and lists. KeyError names what is not there."""
    annotation: Any = MODELS[kind]
    for name in path.split("."):
        model = _model(annotation)
        by_alias = {field.alias: field for field in model.model_fields.values()} if model else {}
        if name not in by_alias:
            raise KeyError(f"{kind} has no {path}: there is no {name!r}")
        annotation = by_alias[name].annotation
    return annotation


def words(annotation: Any) -> set[str]:
    """The values of an enum or Literal."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {member.value for member in annotation}
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return {word for argument in get_args(annotation) for word in words(argument)}


def paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every path below a model, objects before what is in them."""
    for field in model.model_fields.values():
        path = f"{prefix}{field.alias}"
        yield path
        if inner := _model(field.annotation):
            yield from paths(inner, f"{path}.")


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, Annotated, list):
        return next((model for argument in get_args(annotation) if (model := _model(argument))), None)
    return None
