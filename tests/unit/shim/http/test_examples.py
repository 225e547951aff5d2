from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from anka_crds.api.states import NodeState
from anka_shim.http.answer import Answer, Failed, Succeeded
from anka_shim.http.application import build
from anka_shim.http.body_budget import BodyBudget
from anka_shim.http.openapi import EXAMPLES, NoExample, example, examples_of
from anka_shim.routers import ROUTER


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXAMPLES, "Named", [{"name": "mac-01"}, {"name": "mac-02"}])


class Named(Answer):
    name: str


class Parts(Answer):
    kind: Literal["a", "b"]
    needed: str = Field(examples=["x"])
    nothing: None
    named: list[Named]
    state: NodeState
    left_out: str = ""
    shown: int = Field(default=0, examples=[7])


class PartsOk(Succeeded):
    body: Parts


PARTS = {
    "kind": "a",
    "needed": "x",
    "nothing": None,
    "named": [{"name": "mac-01"}],
    "state": "Active",
    "shown": 7,
}


@pytest.mark.parametrize(
    ("annotation", "made"),
    [
        (Named, {"name": "mac-01"}),
        (list[Named], [{"name": "mac-01"}]),
        (Named | None, {"name": "mac-01"}),
        (Literal["OK"], "OK"),
        (None, None),
        (Parts, PARTS),
    ],
)
def test_examples(annotation: Any, made: Any) -> None:
    found = example(annotation)
    if annotation is Parts:
        assert found.pop("state") in {state.value for state in NodeState}
        made = {name: value for name, value in made.items() if name != "state"}
    assert found == made


class Bare(BaseModel):
    id: str


@pytest.mark.parametrize(
    ("annotation", "where"), [(str, ""), (list[int], "[]"), (Bare, "Bare.id"), (list[Bare], "[].id")]
)
def test_no_example(annotation: Any, where: str) -> None:
    with pytest.raises(NoExample) as raised:
        example(annotation)
    assert str(raised.value) == where


def test_one_for_each_answer() -> None:
    found = examples_of(PartsOk | Failed, "No such tag x")
    assert {name: one["summary"] for name, one in found.items()} == {"PartsOk": "OK", "Failed": "FAIL"}
    assert found["Failed"]["value"] == {"status": "FAIL", "message": "No such tag x"}
    assert found["PartsOk"]["value"]["message"] == ""
    assert examples_of(Failed, "x")["Failed"]["value"]["message"] == "x"


def test_every_example_is_one_of_a_model_in_the_document() -> None:
    models = build(ROUTER, [], bodies=BodyBudget(longest=1, limit=1)).openapi()["components"]["schemas"]
    assert EXAMPLES.keys() - {"Named"} <= models.keys()
