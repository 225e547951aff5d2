"""What all requests share: absent parameters, places in the custom resource, and errors in the client's words."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from anka_shim.failure import Failure
from anka_shim.http.request import RequestModel, SpecPath, describe, require_id, spec_values, validate_spec


class Rule(RequestModel):
    guest: Annotated[int | None, SpecPath("guestPort")] = None


class Start(RequestModel):
    name: Annotated[str, SpecPath("displayName")]
    vcpu: Annotated[int | None, SpecPath("resources.vcpu")] = None
    ram: Annotated[int | None, SpecPath("resources.memory")] = None
    key: Annotated[str | None, SpecPath("password", secret=True)] = None
    rules: Annotated[list[Rule] | None, SpecPath("ports")] = None
    count: int = 1


class Resources(BaseModel):
    vcpu: int = Field(default=1, le=8)


class Port(BaseModel):
    guestPort: int = Field(gt=0)


class Spec(BaseModel):
    resources: Resources = Resources()
    password: str = Field(default="", max_length=3)
    ports: list[Port] = []


def start(**parameters: Any) -> Start:
    return Start.model_validate({"name": "n", **parameters})


def test_what_is_given_goes_to_its_place_in_the_spec() -> None:
    given = start(vcpu=4, ram=None, rules=[{"guest": 22}], count=3, unknown=True)
    assert spec_values(given) == {"displayName": "n", "resources": {"vcpu": 4}, "ports": [{"guestPort": 22}]}
    assert spec_values(start()) == {"displayName": "n"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"resources": {"vcpu": 9}}, r"vcpu: .* less than or equal to 8 \(given: '?9'?\)"),
        ({"ports": [{"guestPort": 0}]}, r"rules\[0\]\.guest: .* greater than 0"),
    ],
)
def test_a_wrong_value_of_the_spec_is_named_as_the_client_knows_it(values: dict[str, Any], message: str) -> None:
    with pytest.raises(Failure, match=message):
        validate_spec(Start, Spec, values)


def test_no_message_repeats_a_secret() -> None:
    with pytest.raises(Failure) as failure:
        validate_spec(Start, Spec, {"password": "hunter22"})
    assert failure.value.message.startswith("key: ")
    assert "hunter" not in failure.value.message


def test_an_absent_parameter_and_something_that_is_no_object() -> None:
    assert Start.required == ("name",)
    for wrong, place in (({}, "name"), ([], "must be an object")):
        with pytest.raises(ValidationError) as error:
            Start.model_validate(wrong)
        found = [{**each, "loc": ("body", *each["loc"])} for each in error.value.errors()]
        assert place in describe(found)


@pytest.mark.parametrize("given", [["a"], ["a", "a"], [None, "", "a"], ["a", None, "a"]])
def test_the_id_that_is_given(given: list[str | None]) -> None:
    assert require_id(given, "the id of a VM") == "a"


def test_no_id_and_two_ids() -> None:
    with pytest.raises(Failure, match="id: is given twice, and differs: 'a', 'b'"):
        require_id(["b", None, "a", "b"], "the id of a VM")
    with pytest.raises(Failure, match="instance_id: is required, the id of a VM"):
        require_id([None, ""], "the id of a VM", parameter="instance_id")
