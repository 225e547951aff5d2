"""The chart's NetworkPolicies, tried by packets between pods with the chart's labels. No cluster is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_dev.controlplane.embedded import say_on_stderr
from anka_dev.controlplane.helm import Helm
from anka_dev.pods.policies import NAME_LABEL, Pod, ingress
from support import small_network
from support.chart import NAMESPACE

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(small_network.missing()), reason=str(small_network.missing()))]

OPERATOR, SHIM, OTHER = 8081, 8090, 9999
CI = {"namespaceSelector": {"matchLabels": {NAME_LABEL: "ci"}}}
PROMETHEUS = {
    "namespaceSelector": {"matchLabels": {NAME_LABEL: "monitoring"}},
    "podSelector": {"matchLabels": {"app": "prometheus"}},
}
STRANGERS = (
    Pod("ci", "ci", "10.9.0.10", {"app": "ci"}),
    Pod("prometheus", "monitoring", "10.9.0.11", {"app": "prometheus"}),
    Pod("grafana", "monitoring", "10.9.0.12", {"app": "grafana"}),
)


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    directory: Path = tmp_path_factory.mktemp("helm")
    return Helm(directory / "none.kubeconfig", directory, say_on_stderr)


def rendered(helm: Helm, values: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Pod]]:
    """The policies, and the chart's pods: two of each Deployment, and the one of `helm test`."""
    items = [item for item in yaml.safe_load_all(helm.template(values)) if item]
    policies = [item for item in items if item["kind"] == "NetworkPolicy"]
    pods: list[Pod] = []
    for item in items:
        if item["kind"] in ("Deployment", "Pod"):
            template = item["spec"].get("template", item)
            ports = [port["containerPort"] for port in template["spec"]["containers"][0].get("ports", [])]
            for number in range(1, item["spec"].get("replicas", 1) + 1):
                name = f"{item['metadata']['name'].removeprefix('anka-')}-{number}"
                address = f"10.9.0.{20 + len(pods)}"
                labels = template["metadata"]["labels"]
                pods.append(Pod(name, NAMESPACE, address, labels, (*ports, OTHER) if ports else ()))
    return policies, pods


def who_reaches(helm: Helm, **values: Any) -> dict[tuple[str, int], set[str]]:
    """By pod and port, without itself."""
    policies, pods = rendered(helm, values)
    every = [*pods, *STRANGERS]
    plan = []
    for pod in every:
        allowed = ingress(policies, pod, every)
        plan.append({
            "name": pod.name, "address": pod.address, "ports": pod.ports,
            "allowed": None if allowed is None else sorted(allowed),
        })  # fmt: skip
    found: dict[tuple[str, int], set[str]] = {(pod.name, port): set() for pod in pods for port in pod.ports}
    for source, target, port in small_network.reached(plan):
        if source != target:
            found[target, port].add(source)
    return found


OURS = {"operator-1", "operator-2", "shim-1", "shim-2", "answers-1"}


@pytest.mark.parametrize(
    ("values", "to_shim", "to_operator"),
    [
        ({}, set(), set()),
        ({"shimFrom": [CI]}, {"ci"}, set()),
        ({"metricsFrom": [PROMETHEUS]}, {"prometheus"}, {"prometheus"}),
        ({"shimFrom": [{"ipBlock": {"cidr": "10.9.0.8/30", "except": ["10.9.0.11/32"]}}]}, {"ci"}, set()),
    ],
    ids=["nobody named", "CI", "Prometheus", "addresses"],
)
def test_who_reaches_the_pods(helm: Helm, values: dict[str, Any], to_shim: set[str], to_operator: set[str]) -> None:
    """The release's namespace and who is named, at the one port; nobody else, and nowhere else."""
    found = who_reaches(helm, networkPolicy=values)
    for number in (1, 2):
        operator, shim = f"operator-{number}", f"shim-{number}"
        assert found.pop((operator, OPERATOR)) == OURS - {operator} | to_operator
        assert found.pop((shim, SHIM)) == OURS - {shim} | to_shim
        assert found.pop((operator, OTHER)) == found.pop((shim, OTHER)) == set()
    assert found == {}


def test_without_policies_everybody_does(helm: Helm) -> None:
    """So the others are no mistake of the network."""
    found = who_reaches(helm, networkPolicy={"enabled": False})
    everybody = OURS | {pod.name for pod in STRANGERS}
    assert found == {(pod, port): everybody - {pod} for pod, port in found}
    assert len(found) == 8
