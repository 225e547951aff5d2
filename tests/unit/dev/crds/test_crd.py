"""The CRDs as a whole."""

from collections.abc import Iterator
from typing import Any

import pytest

from anka_crds.api import KINDS, KINDS_WITH_STATUS, AnkaInstance, KubeObject, NodeGroup, Phase
from anka_dev.crds.crd import crd

MINIMAL: dict[str, dict[str, Any]] = {
    "AnkaInstance": {"spec": {"template": "t"}},
    "MACAddressPool": {"spec": {"ranges": [{"first": "02:00:00:00:00:01", "last": "02:00:00:00:00:02"}]}},
    "SaveImage": {"spec": {"instance": "i", "tag": "t", "targetTemplate": "x"}},
    "TemplateDistribution": {"spec": {"template": "t"}},
}
ALL = pytest.mark.parametrize("model", KINDS, ids=lambda model: model.__name__)


def version(model: type[KubeObject]) -> dict[str, Any]:
    (only,) = crd(model)["spec"]["versions"]
    return dict(only)


def schema(model: type[KubeObject]) -> dict[str, Any]:
    return dict(version(model)["schema"]["openAPIV3Schema"])


def fields(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from fields(child, f"{path}.{name}")
    if "items" in node:
        yield from fields(node["items"], f"{path}[]")


@ALL
def test_names_and_status_subresource(model: type[KubeObject]) -> None:
    made = crd(model)
    names = made["spec"]["names"]
    assert made["metadata"]["name"] == f"{names['plural']}.anka.veertu.com"
    assert names["plural"] == f"{names['singular']}s" == f"{model.__name__.lower()}s"
    assert names["categories"] == ["anka"]
    has_status = model in KINDS_WITH_STATUS
    assert version(model).get("subresources", {}) == ({"status": {}} if has_status else {})
    assert ("status" in schema(model)["properties"]) == has_status


def test_short_names_are_given_once() -> None:
    names = [name for model in KINDS for name in (*model.DEFINITION.short_names, model.__name__.lower())]
    assert len(names) == len(set(names))


@ALL
def test_every_field_explains_itself(model: type[KubeObject]) -> None:
    """`metadata` excepted: the apiserver describes it."""
    poor = {
        path: child.get("description", "")
        for path, child in fields(schema(model))
        if path != ".metadata"
        and not (17 <= len(child.get("description", "")) <= 200 and child["description"].endswith("."))
    }
    assert poor == {}
    assert len(schema(model)["description"]) > 20


@ALL
def test_nothing_is_null_and_everything_has_a_type(model: type[KubeObject]) -> None:
    for path, child in fields(schema(model)):
        assert child.get("type"), path
        assert None not in child.values(), path
        assert "nullable" not in child, path


@ALL
def test_texts_lists_and_maps_have_bounds(model: type[KubeObject]) -> None:
    """The cost of a CEL rule is estimated from them; and etcd takes 1.5 MiB."""
    for path, child in fields(schema(model)):
        if path in (".metadata", ".kind", ".apiVersion"):
            continue
        if child["type"] == "string" and "enum" not in child and "format" not in child:
            assert "maxLength" in child, path
        if child["type"] == "array":
            assert "maxItems" in child, path
            assert child["x-kubernetes-list-type"] in ("atomic", "set", "map"), path
        if "additionalProperties" in child:
            assert "maxProperties" in child, path


@pytest.mark.parametrize("model", KINDS_WITH_STATUS, ids=lambda model: model.__name__)
def test_status_before_any_controller_wrote(model: type[KubeObject]) -> None:
    """kstatus takes an object without conditions for done."""
    default = schema(model)["properties"]["status"]["default"]
    seen = model.model_validate({**MINIMAL.get(model.__name__, {}), "status": default})
    status = seen.status  # type: ignore[attr-defined]
    (ready,) = status.conditions
    assert (ready.type, ready.status, status.observed_generation) == ("Ready", "Unknown", -1)
    if isinstance(seen, AnkaInstance):
        assert seen.status.phase is Phase.SCHEDULING


@ALL
def test_columns_and_selectors_name_fields_that_exist(model: type[KubeObject]) -> None:
    known = {path.replace("[]", "") for path, _ in fields(schema(model))} | {".metadata.creationTimestamp"}
    for column in version(model)["additionalPrinterColumns"]:
        path = "".join(part.partition("]")[2] if "]" in part else part for part in column["jsonPath"].split("["))
        assert path in known, column
    for selectable in version(model).get("selectableFields", []):
        assert selectable["jsonPath"] in known


def test_an_absent_spec_gets_its_defaults() -> None:
    group = schema(NodeGroup)
    assert "required" not in group
    assert group["properties"]["spec"]["default"] == {}
    instance = schema(AnkaInstance)
    assert instance["required"] == ["spec"]
    assert "default" not in instance["properties"]["spec"]


def test_agents_find_their_instances_by_node() -> None:
    assert {"jsonPath": ".status.nodeName"} in version(AnkaInstance)["selectableFields"]
