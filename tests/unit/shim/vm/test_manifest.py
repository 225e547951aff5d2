from __future__ import annotations

import pytest

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import AnkaInstanceSpec
from anka_shim.vm.request import instance_manifest, labels


def test_what_is_sent() -> None:
    spec = AnkaInstanceSpec(template="t-1", tag="v1", group="ios", external_id="https://ci/1")
    assert instance_manifest("id-1", "anka-ci", spec) == {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": "AnkaInstance",
        "metadata": {
            "name": "id-1",
            "namespace": "anka-ci",
            "labels": {
                "app.kubernetes.io/created-by": "anka-shim",
                "anka.veertu.com/template": "t-1",
                "anka.veertu.com/tag": "v1",
                "anka.veertu.com/group": "ios",
            },
            "finalizers": ["anka.veertu.com/vm"],
        },
        "spec": {"template": "t-1", "tag": "v1", "group": "ios", "externalId": "https://ci/1"},
    }


def test_it_reads_back_as_the_same_spec() -> None:
    spec = AnkaInstanceSpec(template="t-1", priority=3, metadata={"a": 1})
    assert AnkaInstance.from_api(instance_manifest("id-1", "ns", spec)).spec == spec


@pytest.mark.parametrize("tag", ["vanilla+port-forward-22", "x" * 64, "-v1", "v1-", "Zürich", "v1\n"])
def test_what_cannot_be_a_label_is_left_out(tag: str) -> None:
    assert "anka.veertu.com/tag" not in labels(AnkaInstanceSpec(template="t").model_copy(update={"tag": tag}))
