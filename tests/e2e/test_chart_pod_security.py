"""The chart's pods where Kubernetes enforces its restricted pod security standard: an apiserver decides."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_dev.local_kubernetes import chart_release
from anka_dev.repository import BASE, ROOT
from localkube.controlplane import KubernetesCluster
from localkube.controlplane.helm import Helm
from localkube.errors import DevError
from localkube.progress import say_on_stderr
from support.chart import NAMESPACE

pytestmark = pytest.mark.e2e

ENFORCE = "pod-security.kubernetes.io/enforce"
DRY_CREATE = ("create", "--dry-run=server", "--filename=-")

Object = dict[str, Any]


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    directory: Path = tmp_path_factory.mktemp("helm")
    return chart_release(directory / "none.kubeconfig", directory, say_on_stderr)


def of_kinds(objects: list[Object], *kinds: str) -> list[Object]:
    return [one for one in objects if one["kind"] in kinds]


def rendered(helm: Helm, **values: Any) -> list[Object]:
    return [one for one in yaml.safe_load_all(helm.template(values)) if one]


@pytest.fixture(scope="module")
def restricted(served_kinds: KubernetesCluster, helm: Helm) -> Iterator[KubernetesCluster]:
    """With the namespaces of charts/base, and whatever the chart's pods refer to."""
    namespaces = list(yaml.safe_load_all((BASE / "namespaces.yaml").read_text()))
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": NAMESPACE}}
    needed = [*namespaces, *of_kinds(rendered(helm), "ServiceAccount", "PriorityClass"), account]
    apply = ("apply", "--server-side", "--force-conflicts", "--filename=-")
    served_kinds.kubectl.run(*apply, stdin=yaml.safe_dump_all(needed))
    yield served_kinds
    # Other tests use this cluster too.
    served_kinds.kubectl.run("label", "namespace", *(one["metadata"]["name"] for one in namespaces), f"{ENFORCE}-")


def pod_of(workload: Object) -> Object:
    """As a controller makes it."""
    template = workload["spec"].get("template", workload)
    metadata = {"name": "tried", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": copy.deepcopy(template["spec"])}


def documented() -> list[Object]:
    """The Deployments of the page for those who install without the chart."""
    page = (ROOT / "docs" / "start" / "install.md").read_text()
    found = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]
    return of_kinds(found, "Deployment")


def test_pods_run_where_restricted_is_enforced(restricted: KubernetesCluster, helm: Helm) -> None:
    """Those of the chart and those of the manual. What asks for more is refused: so it is enforced."""
    workloads = [*of_kinds(rendered(helm), "Deployment", "Pod"), *documented()]
    assert len(workloads) == 4
    for one in workloads:
        assert "created" in restricted.kubectl.run(*DRY_CREATE, stdin=json.dumps(pod_of(one)))
        more = pod_of(one)
        more["spec"]["containers"][0].pop("securityContext")
        with pytest.raises(DevError, match='violates PodSecurity "restricted:latest"'):
            restricted.kubectl.run(*DRY_CREATE, stdin=json.dumps(more))


@pytest.mark.parametrize(
    ("values", "label"), [({}, "restricted"), ({"podSecurity": ""}, None)], ids=["default", "none"]
)
def test_the_namespaces_that_the_chart_makes(helm: Helm, values: Object, label: str | None) -> None:
    made = of_kinds(rendered(helm, namespaces=values), "Namespace")
    assert {one["metadata"]["name"]: one["metadata"]["labels"].get(ENFORCE) for one in made} == {
        "anka-nodes": label,
        "anka-joining": label,
        "anka-ci": label,
    }
