"""A refusal of each text field of the API, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from anka_crds.api import KINDS
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.node import AnkaNodeSpec
from anka_crds.rules.wording import describe_error


def first_error(model: type[BaseModel], data: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    return dict(caught.value.errors()[0])


@pytest.mark.parametrize(
    ("model", "data", "words"),
    [
        (AnkaInstanceSpec, {"template": "-x"}, "must be one line without control characters, and must not begin with"),
        (AnkaInstanceSpec, {"template": "t", "disk": {"size": "x"}}, "must be a whole number followed by T, G, M or K"),
        (AnkaNodeSpec, {"vmPrefix": "é"}, "must be letters, digits"),
        (AnkaInstanceSpec, {"template": 1}, "Input should be a valid string"),
    ],
)
def test_a_refusal(model: type[BaseModel], data: dict[str, Any], words: str) -> None:
    said = describe_error(first_error(model, data), model)
    assert said.startswith(words)
    assert "[" not in said


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(value)
    if isinstance(node, dict):
        yield node


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_pattern_of_a_spec_has_words(kind: type[BaseModel]) -> None:
    model = kind.model_fields["spec"].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    for one in nodes(model.model_json_schema()):
        if "pattern" in one:
            error = {"type": "string_pattern_mismatch", "msg": "", "ctx": {"pattern": one["pattern"]}}
            assert describe_error(error, model), one
