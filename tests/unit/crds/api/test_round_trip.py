"""Models in and out of the apiserver's JSON."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anka_crds import resources
from anka_crds.api import KINDS, AnkaInstance, AnkaNode, KubeObject, NodeGroup, NodeState, Phase
from anka_kube.resource import Resource
from support.model_data import wire_data

ALL = pytest.mark.parametrize("model", KINDS, ids=lambda model: model.__name__)
DATA = {model: wire_data(model) for model in KINDS}
BY_KIND = {one.kind: one for one in vars(resources).values() if isinstance(one, Resource)}
STRANGER = "fromTheFuture"
few = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def values(node: Any) -> Iterator[Any]:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from values(child)


def with_strangers(node: Any, path: tuple[str, ...] = ()) -> Any:
    """Fields of a newer version in every object, but not among people's own keys."""
    if isinstance(node, list):
        return [with_strangers(item, path) for item in node]
    if not isinstance(node, dict):
        return node
    if path[-1:] in (("labels",), ("annotations",)) or path == ("spec", "metadata"):
        return node
    return {**{key: with_strangers(child, (*path, key)) for key, child in node.items()}, STRANGER: {"x": [1]}}


def without_strangers(node: Any) -> Any:
    if isinstance(node, list):
        return [without_strangers(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: without_strangers(child) for key, child in node.items() if key != STRANGER}


@ALL
@few
@given(data=st.data())
def test_round_trip(model: type[KubeObject], data: st.DataObject) -> None:
    wire = {**data.draw(DATA[model]), "kind": model.__name__, "apiVersion": "anka.veertu.com/v1alpha1"}
    parsed = model.from_api(wire)
    sent = parsed.to_api()
    assert model.from_api(sent) == parsed
    assert model.from_api(sent).to_api() == sent
    assert not any(value is None for value in values(sent))
    assert (sent["apiVersion"], sent["kind"]) == (wire["apiVersion"], wire["kind"])


@ALL
@few
@given(data=st.data())
def test_fields_of_a_newer_version_are_ignored_or_kept(model: type[KubeObject], data: st.DataObject) -> None:
    wire = {**data.draw(DATA[model]), "kind": model.__name__, "apiVersion": "anka.veertu.com/v1alpha1"}
    known, sent = model.from_api(wire).to_api(), model.from_api(with_strangers(wire)).to_api()
    if "status" in wire and BY_KIND[model.__name__].keeps_status:
        # Written whole: what a newer operator told there must survive an older agent.
        assert sent["status"] == with_strangers(known["status"])
    assert without_strangers(sent) == known


@ALL
def test_names_on_the_wire_are_camel_case(model: type[KubeObject]) -> None:
    schema = model.model_json_schema(by_alias=True)
    for definition in (schema, *schema["$defs"].values()):
        for name in definition.get("properties", {}):
            assert name[0].islower(), name
            assert name.isalnum(), name


def test_absent_is_absent() -> None:
    made = NodeGroup.model_validate({"metadata": {"name": "ios"}})
    assert made.to_api() == {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": "NodeGroup",
        "metadata": {"name": "ios"},
        "spec": {"description": ""},
        "status": {"conditions": []},
    }


def test_both_spellings_in_python_one_on_the_wire() -> None:
    spec = {"template": "t", "display_name": "d"}
    made = AnkaInstance.model_validate({"spec": spec})
    assert made.spec.display_name == made.to_api()["spec"]["displayName"] == "d"


def test_words_of_the_old_controller() -> None:
    assert [str(phase) for phase in Phase] == [
        "Scheduling", "Pulling", "Started", "Stopping", "Stopped", "Terminating", "Terminated", "Error", "Pushing",
    ]  # fmt: skip
    node = AnkaNode.from_api({"status": {"state": "Inactive (Invalid License)"}})
    assert node.status.state is NodeState.INACTIVE
