"""What helm makes of the chart. No cluster is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_dev.cloud import install
from anka_dev.controlplane.embedded import say_on_stderr
from anka_dev.controlplane.helm import Helm
from anka_dev.errors import DevError

pytestmark = pytest.mark.e2e

OWN = ("app.kubernetes.io/", "helm.sh/")


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Built first if need be: minutes, then cached."""
    directory: Path = tmp_path_factory.mktemp("helm")
    return Helm(directory / "none.kubeconfig", directory, say_on_stderr)


def objects(text: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    found = {}
    for item in filter(None, yaml.safe_load_all(text)):
        metadata = item["metadata"]
        found[item["kind"], metadata.get("namespace", ""), metadata["name"]] = item
    return found


def bare(item: dict[str, Any]) -> dict[str, Any]:
    """Without what only helm adds: its labels, and the note that a namespace stays."""
    labels = {key: value for key, value in item["metadata"].get("labels", {}).items() if not key.startswith(OWN)}
    rest = {key: value for key, value in item["metadata"].items() if key not in ("labels", "annotations")}
    return item | {"metadata": rest | ({"labels": labels} if labels else {})}


def test_the_chart_is_what_the_plain_manifests_are(helm: Helm) -> None:
    helm.lint({})
    rendered = objects(helm.template({"policies": {"finalizer": True}}))
    for file in sorted(install.BASE.glob("*.yaml")):
        for key, item in objects(file.read_text()).items():
            if key != ("Namespace", "", "anka-system"):  # helm makes the release's own
                assert bare(rendered[key]) == item, key


def test_other_namespaces_leave_no_trace_of_the_usual_ones(helm: Helm) -> None:
    values = {"namespaces": {"nodes": "macs", "instances": "ci"}, "policies": {"finalizer": True}}
    text = helm.template(values)
    assert "anka-nodes" not in text
    assert "anka-ci" not in text
    assert "system:serviceaccount:macs:node-" in text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"registry": {"url": "registry:8089"}}, "registry"),
        ({"shim": {"replicas": 0}}, "replicas"),
        ({"shim": {"flag": {}}}, "flag"),
        ({"gateway": {"enabled": True}}, "name the Gateway"),
        ({"logs": {"level": "LOUD"}}, "level"),
    ],
    ids=str,
)
def test_wrong_values_are_named(helm: Helm, values: dict[str, Any], said: str) -> None:
    with pytest.raises(DevError, match=said):
        helm.template(values)
