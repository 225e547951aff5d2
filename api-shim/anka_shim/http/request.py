"""What all requests share: their base, where parameters go in a custom resource, and how errors are worded. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from anka_crds.api.meta import API_VERSION
from anka_crds.rules.wording import describe_error
from anka_shim.failure import Failure, quote
from anka_shim.http.parameter_types import ERROR, wrong_value

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True)
class SpecPath:
    """Where a parameter goes: the path of a field in the spec of a custom resource. Annotates a field of a
    RequestModel. `secret`: no message repeats the value."""

    path: str
    secret: bool = False


def parameter(path: str, description: str, *, secret: bool = False, examples: list[Any] | None = None) -> Any:
    """A field of a RequestModel that goes to this path of the spec, and need not be given."""
    field: Any = Field(default=None, description=description, examples=examples)
    field.metadata.append(SpecPath(path, secret))
    return field


def option(description: str) -> Any:
    """A field of a RequestModel that need not be given."""
    return Field(default=None, description=description)


class RequestModel(BaseModel):
    """Parameters of a request. Unknown ones are ignored, and null counts as absent."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    required: ClassVar[tuple[str, ...]] = ()
    """Parameters that must be given."""
    spec_paths: ClassVar[Mapping[str, SpecPath]] = {}
    """Where parameters go, by their names."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        fields = cls.model_fields.items()
        cls.required = tuple(name for name, field in fields if field.is_required())
        marks = {name: mark for name, field in fields for mark in field.metadata if isinstance(mark, SpecPath)}
        cls.spec_paths = marks

    @model_validator(mode="before")
    @classmethod
    def _add_required(cls, data: Any) -> Any:
        """An absent parameter reaches its own validator, whose message says what it is."""
        if not isinstance(data, dict):
            raise wrong_value("must be an object", data)
        absent = {name: None for name in cls.required if name not in data}
        return {**data, **absent} if absent else data


def require_id(given: Sequence[str | None], what: str, *, parameter: str = "id") -> str:
    """All given values must be the same: query and body may both have one. Raises Failure."""
    ids = sorted({id_ for id_ in given if id_})
    if not ids:
        raise Failure(f"{parameter}: is required, {what}")
    if len(ids) > 1:
        raise Failure(f"{parameter}: is given twice, and differs: {', '.join(map(quote, ids))}")
    return ids[0]


def spec_values(request: RequestModel) -> dict[str, Any]:
    """The given parameters as a tree of the custom resource's fields."""
    tree: dict[str, Any] = {}
    for name in request.model_fields_set & request.spec_paths.keys():
        value = getattr(request, name)
        if value is not None:
            *way, last = request.spec_paths[name].path.split(".")
            branch = tree
            for part in way:
                branch = branch.setdefault(part, {})
            branch[last] = _plain(value)
    return tree


def to_object(kind: str, metadata: dict[str, Any], spec: BaseModel) -> dict[str, Any]:
    """The custom resource to create."""
    values = spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": values}


def validate_spec(request: type[RequestModel], spec: type[S], values: Mapping[str, Any]) -> S:
    """Raises a Failure that names the first wrong parameter in the client's words."""
    try:
        return spec.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name, secret = _parameter(request, first["loc"])
        given = "" if secret else f" (given: {quote(first['input'])})"
        raise Failure(f"{name}: {describe_error(first, spec)}{given}") from None


def describe(errors: Sequence[Mapping[str, Any]]) -> str:
    """The first error of a validation, in one line. A location begins with the part of the request: body or query."""
    first = errors[0]
    name = _join(first["loc"][1:])
    if first["type"] == ERROR:
        return f"{name}{first['ctx']['place']}: {first['msg']}"
    return f"{name}: {first['msg']} (given: {quote(first.get('input'))})"


def _plain(value: object) -> object:
    if isinstance(value, RequestModel):
        return spec_values(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _parameter(model: type[RequestModel], path: Sequence[int | str]) -> tuple[str, bool]:
    """The client's word for a field of the spec, such as `disk.size`, and whether it is secret."""
    for name, place in model.spec_paths.items():
        way = place.path.split(".")
        if list(path[: len(way)]) != way:
            continue
        rest = path[len(way) :]
        below = next(_models(model.model_fields[name].annotation), None)
        words = {inner.path: word for word, inner in below.spec_paths.items()} if below else {}
        return _join([name, *(words.get(str(part), part) for part in rest)]), place.secret
    return _join(path), False


def _models(annotation: Any) -> Iterator[type[RequestModel]]:
    """The models in an annotation such as `list[PortRule] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, RequestModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _join(location: Sequence[int | str]) -> str:
    """`port_forwarding_override[0].guest_port`"""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
