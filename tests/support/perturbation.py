"""What an answer depends on, found by trying: change one place of an object after the other, and see what changes.

Objects are validated once; what is changed is a copy, of the models on the way to the place alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Objects = Mapping[str, BaseModel]
"""By kind."""
Place = tuple[str, str]
"""Kind and path of wire names."""
Parts = Mapping[str, Mapping[str, Any]]
"""An answer, and what is in it, by headings. An empty part is not there."""
Wire = dict[str, Any]

M = TypeVar("M", bound=BaseModel)
TEXTS = {
    "ram": ("4G", "8G"),
    "size": ("50G", "60G"),
    "content": ("YQ==", "Yg=="),
    "script": ("YQ==", "Yg=="),
    "vlan": ("12", "13"),
    "macAddress": ("AA:BB:CC:DD:EE:00", "AA:BB:CC:DD:EE:01"),
    "agentChecksum": ("0" * 64, "1" * 64),
    "reason": ("First", "Second"),
}
"""By the field's name, where not every text is allowed."""
REQUIRED = object()


@dataclass(frozen=True)
class Leaf:
    """A place without places below it, and what else it can have."""

    path: str
    names: tuple[str, ...]
    values: tuple[Any, ...]


def make_full(model: type[M], pick: int) -> M:
    """An object that has everything. `pick`: 0 or 1, for two that differ at every place where they can."""
    schema = model.model_json_schema(by_alias=True)
    # Objects of the apiserver may have texts that a pattern of ours refuses.
    read = getattr(model, "from_api", model.model_validate)
    found: M = read(_value(schema, schema.get("$defs", {}), pick, ""))
    return found


def dependencies(
    translate: Callable[[Objects], Parts],
    leaves: Mapping[str, list[Leaf]],
    bases: Iterable[tuple[Objects, Iterable[str]]],
) -> dict[tuple[str, str], set[Place]]:
    """By heading and field of the answer: the places whose change, or absence, changes it, in one base at least. Each
    base has the kinds that are changed in it."""
    found: dict[tuple[str, str], set[Place]] = {}
    for base, kinds in bases:
        before = translate(base)
        for kind, leaf in ((one, leaf) for one in kinds for leaf in leaves[one]):
            for value in leaf.values:
                changed = put(base[kind], leaf.names, value)
                if changed is base[kind]:
                    continue
                for heading, after in translate({**base, kind: changed}).items():
                    fields = before[heading]
                    if fields == after or not fields or not after:
                        # A part that is not there at all: the row of the whole says when.
                        continue
                    for field in fields.keys() | after.keys():
                        if fields.get(field) != after.get(field):
                            found.setdefault((heading, field), set()).add((kind, leaf.path))
    return found


def find_leaves(first: BaseModel, second: BaseModel, path: str = "", names: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """The leaves of two full objects."""
    for name, field in type(first).model_fields.items():
        here, way = f"{path}.{field.alias or name}".lstrip("."), (*names, name)
        one, other = _first(getattr(first, name)), _first(getattr(second, name))
        if isinstance(one, BaseModel):
            yield from find_leaves(one, other, here, way)
        else:
            changes = [getattr(second, name), default(field), *_choices(field.annotation)]
            yield Leaf(here, way, tuple(value for value in changes if value is not REQUIRED))


def find_names(model: BaseModel, path: str) -> tuple[str, ...]:
    """Python's names for a path of wire names."""
    names: list[str] = []
    inner: Any = model
    for word in path.split("."):
        names.append(next(name for name, field in type(inner).model_fields.items() if (field.alias or name) == word))
        inner = _first(getattr(inner, names[-1]))
    return tuple(names)


def remove(model: BaseModel, names: tuple[str, ...]) -> BaseModel:
    """A copy without this place; the same object, if it must be there."""
    inner: Any = model
    for name in names[:-1]:
        inner = _first(getattr(inner, name))
        if inner is None:
            return model
    value = default(type(inner).model_fields[names[-1]])
    return model if value is REQUIRED else put(model, names, value)


def put(model: M, names: tuple[str, ...], value: Any) -> M:
    """A copy with this value; the same object, if there is nothing to change."""
    name, *below = names
    old = getattr(model, name)
    if below:
        if not (inner := _first(old)):
            return model
        new = put(inner, tuple(below), value)
        if new is inner:
            return model
        value = [new, *old[1:]] if isinstance(old, list) else new
    elif old == value:
        return model
    return model.model_copy(update={name: value})


def default(field: FieldInfo) -> Any:
    """What a place is when it is absent."""
    return REQUIRED if field.is_required() else field.get_default(call_default_factory=True)


def _first(value: Any) -> Any:
    """Of a list of objects the first, None of an empty one; anything else is itself."""
    if isinstance(value, list):
        return (value[0] if isinstance(value[0], BaseModel) else value) if value else None
    return value


def _choices(annotation: Any) -> tuple[Any, ...]:
    """All words, where there is a choice of them."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(annotation)
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if annotation is bool:
        return (True, False)
    return tuple(choice for argument in get_args(annotation) for choice in _choices(argument))


def _value(node: Wire, definitions: Wire, pick: int, name: str) -> Any:
    if "$ref" in node:
        return _value(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions, pick, name)
    if "anyOf" in node:
        return _value(next(choice for choice in node["anyOf"] if choice != {"type": "null"}), definitions, pick, name)
    if "enum" in node:
        return node["enum"][min(pick, len(node["enum"]) - 1)]
    if "const" in node:
        return node["const"]
    match node.get("type"):
        case "object" if "properties" in node:
            return {key: _value(child, definitions, pick, key) for key, child in node["properties"].items()}
        case "object":
            return {"key": f"{name}-{pick}"}
        case "array":
            return [_value(node["items"], definitions, pick, name)]
        case "integer" | "number":
            return node.get("minimum", 0) + 10 + pick
        case "boolean":
            return bool(pick)
        case "string" if node.get("format") == "date-time":
            return f"2026-01-0{1 + pick}T00:00:00Z"
        case _:
            return TEXTS[name][pick] if name in TEXTS else f"{name.lower()}-{pick}"
