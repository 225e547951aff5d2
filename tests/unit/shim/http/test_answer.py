"""How answers become JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import PlainSerializer

from anka_shim.distribution.answer import DistributionAnswer, NodeProgressAnswer
from anka_shim.http.answer import Answer, Ratio, to_json
from anka_shim.routers import ROUTERS


class Measured(Answer):
    share: Ratio


def models(base: type[Answer] = Answer) -> Iterator[type[Answer]]:
    for model in base.__subclasses__():
        if model.__module__.startswith("anka_shim."):
            yield model
        yield from models(model)


def parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from parts(argument)


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0"), (0, "0"), (-0.0, "0"), (1.0, "1"), (1, "1"), (0.5, "0.5"), (0.07, "0.07")]
)
def test_a_number_without_a_fraction_has_no_point(share: float, text: str) -> None:
    answer = Measured.model_construct(share=share)
    for where, form in (("%s", answer), ("[%s]", [answer]), ('{"a":%s}', {"a": answer})):
        assert to_json(form).decode() == where % f'{{"share":{text}}}'


def test_nor_has_one_inside_another_answer() -> None:
    progress = NodeProgressAnswer.model_construct(progress=1.0, status=True)
    answer = DistributionAnswer.model_construct(request=None, distribute_status={"mac-1": progress})  # type: ignore[arg-type]
    assert b'{"mac-1":{"progress":1,"status":true}}' in to_json(answer)


def test_no_answer_has_another_kind_of_fraction() -> None:
    assert ROUTERS
    fractions = {
        f"{model.__name__}.{name}": any(isinstance(mark, PlainSerializer) for mark in field.metadata)
        for model in models()
        for name, field in model.model_fields.items()
        if float in parts(field.annotation)
    }
    assert len(fractions) == 6
    assert all(fractions.values()), fractions
