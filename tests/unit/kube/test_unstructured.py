from __future__ import annotations

from typing import Any

import pytest

from anka_kube.unstructured import EVENTS, Meta, Unstructured, raw_resource

METADATA: dict[str, Any] = {
    "name": "a",
    "namespace": "ns",
    "uid": "u",
    "resourceVersion": "7",
    "labels": {"x": "y"},
    "ownerReferences": [{"kind": "Node", "name": "n"}],
}


def test_metadata_is_typed_and_written_back() -> None:
    meta = Meta.parse({**METADATA, "generation": 3})
    assert (meta.name, meta.namespace, meta.uid, meta.resource_version) == ("a", "ns", "u", "7")
    assert meta.dump() == METADATA


def test_what_is_not_set_is_not_written() -> None:
    assert Meta("a").dump() == {"name": "a"}
    assert Meta.parse({"name": "a", "labels": None}).labels == {}


def test_an_object_is_passed_on_as_the_api_sent_it() -> None:
    data = {"metadata": METADATA, "spec": {"any": ["thing"]}}
    parsed = Unstructured.parse(data)
    assert parsed.metadata.name == "a"
    assert parsed.dump() is data


def test_an_object_without_a_name_is_not_understood() -> None:
    with pytest.raises(KeyError):
        Unstructured.parse({"metadata": {}})


def test_a_resource_without_a_model() -> None:
    things = raw_resource("example.com", "v1", "things", "Thing", namespaced=False)
    assert things.path(name="a") == "/apis/example.com/v1/things/a"
    assert EVENTS.path("ns") == "/api/v1/namespaces/ns/events"


@pytest.mark.parametrize("key", ["name", "namespace", "uid", "resourceVersion"])
def test_metadata_that_no_store_could_use_is_refused(key: str) -> None:
    with pytest.raises(TypeError, match=f"metadata.{key} is not a text"):
        Meta.parse({"name": "a", key: {}})
