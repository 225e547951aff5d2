"""Contract cases: read from tests/data/contract, and ids filled in. The keys: docs/contribute/development.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from support.contract.shape import BadShape, Named, check

FOLDER = Path(__file__).resolve().parents[2] / "data" / "contract"
NOT_CASES = {"shapes.yaml", "steps.yaml", "endpoints.yaml"}

Method = Literal["GET", "POST", "PUT", "DELETE"]
Values = Mapping[str, str]

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Ask(_Strict):
    """A request, as curl sends it. A body gets the Content-Type that `curl -d` gives it, unless `headers` has one; null
    there means none at all."""

    method: Method
    path: str = Field(pattern=r"^/", description="With the query.")
    headers: dict[str, str | None] = Field(default_factory=dict)
    body: str | None = None

    @property
    def endpoint(self) -> tuple[str, str]:
        return self.method, self.path.partition("?")[0]


class Push(_Strict):
    """A template into the registry. Its UUID is kept as {pushed}; the list shows it when the step is over."""

    name: str
    tags: list[str] = Field(min_length=1)


class StatusPatch(_Strict):
    """What a Mac would report, written for it."""

    of: str = Field(description="kind/name")
    status: dict[str, Any]


class Step(_Strict):
    """One of `ask`, `push`, `apply` (a manifest) and `patch`. An `ask` must be OK, and is repeated until its body has
    the shape `until`; `keep` names parts of the body: {name: path}."""

    ask: Ask | None = None
    until: Any = None
    keep: dict[str, str] = Field(default_factory=dict)
    push: Push | None = None
    apply: dict[str, Any] | None = None
    patch: StatusPatch | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        if sum(thing is not None for thing in (self.ask, self.push, self.apply, self.patch)) != 1:
            raise ValueError("a step is one of ask, push, apply and patch")
        if self.ask is None and (self.keep or self.until is not None):
            raise ValueError("keep and until are about the answer of ask")
        return self


class Expected(_Strict):
    """Without `body`, the answer must have none. `plain`: text without envelope."""

    http: int = 200
    status: Literal["OK", "FAIL"] = "OK"
    message: str = ""
    body: Any = None
    plain: bool = False

    @model_validator(mode="after")
    def _reasonable(self) -> Expected:
        if (self.status == "FAIL") != bool(self.message):
            raise ValueError("FAIL has a message, OK has none")
        return self

    @property
    def shape(self) -> dict[str, Any]:
        """Of the whole envelope."""
        envelope: dict[str, Any] = {"status": {"$is": self.status}, "message": {"$is": self.message}}
        return {**envelope, "body": self.body} if "body" in self.model_fields_set else envelope


class Case(_Strict):
    title: str = Field(min_length=1)
    source: str = Field(pattern=r"^(legacy-api\.md#[a-z-]+: .+|clients: .+)$")
    before: list[Step | str] = Field(default_factory=list)
    ask: Ask
    answer: Expected
    keep: dict[str, str] = Field(default_factory=dict)
    then: list[Step | str] = Field(default_factory=list)
    after: list[Step | str] = Field(default_factory=list, description="Done whatever happened, to leave no trace.")


class Unknown(Exception):
    """A placeholder, or a step, that nothing has set."""


@cache
def named_shapes() -> Named:
    shapes: Named = yaml.safe_load((FOLDER / "shapes.yaml").read_text())
    return shapes


@cache
def named_steps() -> Mapping[str, list[Step | str]]:
    read: Mapping[str, list[Any]] = yaml.safe_load((FOLDER / "steps.yaml").read_text())
    return {name: [_step(item) for item in items] for name, items in read.items()}


def _step(item: Any) -> Step | str:
    return item if isinstance(item, str) else Step.model_validate(item)


def files(folder: Path = FOLDER) -> list[Path]:
    return [path for path in sorted(folder.glob("*.yaml")) if path.name not in NOT_CASES]


def read(path: Path) -> list[Case]:
    """Raises ValueError that names the file and the case."""
    found = []
    for number, item in enumerate(yaml.safe_load(path.read_text()), 1):
        where = f"{path.name}, case {number} ({item.get('title')})"
        try:
            case = Case.model_validate(item)
            for shape in _shapes(case):
                check(shape, named_shapes())
            list(steps([*case.before, *case.then, *case.after]))
        except (ValueError, BadShape, Unknown) as error:
            raise ValueError(f"{where}: {error}") from error
        found.append(case)
    return found


def steps(wanted: Iterable[Step | str]) -> Iterable[Step]:
    """With those of steps.yaml in the place of their names."""
    for step in wanted:
        if isinstance(step, Step):
            yield step
        elif step in named_steps():
            yield from steps(named_steps()[step])
        else:
            raise Unknown(f"steps.yaml has no {step!r}")


def _shapes(case: Case) -> Iterable[Any]:
    yield case.answer.shape
    for step in steps([*case.before, *case.then, *case.after]):
        if step.until is not None:
            yield step.until


def filled(thing: Any, values: Values) -> Any:
    """The same, with each {name} in its texts replaced. Unknown for one that has no value."""
    if isinstance(thing, str):
        return _PLACEHOLDER.sub(lambda found: _value(found.group(1), values), thing)
    if isinstance(thing, Mapping):
        return {filled(key, values): filled(value, values) for key, value in thing.items()}
    if isinstance(thing, list):
        return [filled(item, values) for item in thing]
    if isinstance(thing, BaseModel):
        return type(thing).model_validate(filled(thing.model_dump(exclude_unset=True), values))
    return thing


def _value(name: str, values: Values) -> str:
    if name not in values:
        raise Unknown(f"nothing is kept as {{{name}}}; there is {', '.join(sorted(values))}")
    return values[name]


def part(body: Any, path: str) -> str:
    """What lies at a place in a body: `0`, `id`, `versions.0.tag`. Unknown when there is nothing."""
    found = body
    for key in path.split("."):
        try:
            found = found[int(key)] if isinstance(found, list) else found[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise Unknown(f"no {path} in {body!r}") from None
    return str(found)
