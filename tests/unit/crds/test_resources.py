from __future__ import annotations

import pytest

from anka_crds import resources
from anka_crds.api import KINDS, AnkaInstance, KubeObject
from anka_kube.resource import Resource

ALL: list[Resource[KubeObject]] = [value for value in vars(resources).values() if isinstance(value, Resource)]


def test_every_kind_is_a_resource() -> None:
    assert {resource.kind for resource in ALL} == {kind.__name__ for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_is_served_as_its_crd_says(kind: type[KubeObject]) -> None:
    (resource,) = [resource for resource in ALL if resource.kind == kind.__name__]
    assert resource.label == f"{kind.DEFINITION.plural}.anka.veertu.com"
    namespace = "ns" if kind.DEFINITION.namespaced else None
    where = "/namespaces/ns" if namespace else ""
    path = f"/apis/anka.veertu.com/v1alpha1{where}/{kind.DEFINITION.plural}/a"
    assert resource.path(namespace, "a") == path


def test_objects_are_parsed_and_dumped_by_their_model() -> None:
    data = {"metadata": {"name": "a", "namespace": "ns"}, "spec": {"template": "macos"}}
    parsed = resources.INSTANCES.parse(data)
    assert isinstance(parsed, AnkaInstance)
    assert resources.INSTANCES.dump(parsed)["spec"]["template"] == "macos"
