from __future__ import annotations

import pytest

from anka_kube.lease import LEASES
from anka_kube.resource import key_of
from anka_kube.unstructured import EVENTS, Meta, Unstructured, raw_resource

NODES = raw_resource("anka.veertu.com", "v1alpha1", "ankanodes", "AnkaNode", namespaced=False)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (EVENTS.path(), "/api/v1/events"),
        (EVENTS.path("a"), "/api/v1/namespaces/a/events"),
        (LEASES.path("a", "b"), "/apis/coordination.k8s.io/v1/namespaces/a/leases/b"),
        (NODES.path(), "/apis/anka.veertu.com/v1alpha1/ankanodes"),
        (NODES.path(name="m", subresource="status"), "/apis/anka.veertu.com/v1alpha1/ankanodes/m/status"),
        (NODES.path(name="a/../b c"), "/apis/anka.veertu.com/v1alpha1/ankanodes/a%2F..%2Fb%20c"),
    ],
)
def test_paths(path: str, expected: str) -> None:
    assert path == expected


def test_scope_is_enforced() -> None:
    with pytest.raises(ValueError, match="cluster-scoped"):
        NODES.path("ns", "x")
    with pytest.raises(ValueError, match="needs a namespace"):
        LEASES.path(None, "x")
    with pytest.raises(ValueError, match="empty name"):
        NODES.path(None, "")


def test_labels_and_api_versions() -> None:
    assert (EVENTS.label, EVENTS.api_version) == ("events", "v1")
    assert (LEASES.label, LEASES.api_version) == ("leases.coordination.k8s.io", "coordination.k8s.io/v1")


def test_meta_round_trip_leaves_out_what_is_not_set() -> None:
    data = {"name": "x", "uid": "u", "resourceVersion": "7", "ownerReferences": [{"name": "o"}]}
    assert Meta.parse(data).dump() == data
    assert key_of(Unstructured.parse({"metadata": data})) == ("", "x")
