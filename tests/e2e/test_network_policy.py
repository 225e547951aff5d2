"""The chart's NetworkPolicies, tried by packets between pods with the chart's labels. No cluster is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_dev.local_kubernetes import chart_release
from localkube.controlplane.helm import Helm
from localkube.pods.network_policy import NAME_LABEL, PolicyPod, egress, ingress
from localkube.progress import say_on_stderr
from support import small_network
from support.chart import NAMESPACE

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(small_network.missing()), reason=str(small_network.missing()))]

OPERATOR, SHIM, OTHER = 8081, 8090, 9999
DNS, API, REGISTRY = 53, 6443, 8089
CI = {"namespaceSelector": {"matchLabels": {NAME_LABEL: "ci"}}}
PROMETHEUS = {
    "namespaceSelector": {"matchLabels": {NAME_LABEL: "monitoring"}},
    "podSelector": {"matchLabels": {"app": "prometheus"}},
}
STRANGERS = (
    PolicyPod("ci", "ci", "10.9.0.10", {"app": "ci"}),
    PolicyPod("prometheus", "monitoring", "10.9.0.11", {"app": "prometheus"}),
    PolicyPod("grafana", "monitoring", "10.9.0.12", {"app": "grafana"}),
)
NEEDED = (
    PolicyPod("dns", "kube-system", "10.9.0.4", {"k8s-app": "kube-dns"}, (DNS, OTHER)),
    PolicyPod("api", "kube-system", "10.9.0.5", {}, (API, OTHER)),
    PolicyPod("registry", "anka-build-cloud", "10.9.0.6", {"app": "registry"}, (REGISTRY, OTHER)),
)
ELSEWHERE = PolicyPod("elsewhere", "default", "10.9.0.7", {}, (80, 443, REGISTRY))
REGISTRY_URL = {
    "url": "https://registry.example.com",
    "internalUrl": f"http://registry.anka-build-cloud.svc:{REGISTRY}",
}


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    directory: Path = tmp_path_factory.mktemp("helm")
    return chart_release(directory / "none.kubeconfig", directory, say_on_stderr)


def rendered(helm: Helm, values: dict[str, Any]) -> tuple[list[dict[str, Any]], list[PolicyPod]]:
    """The policies, and the chart's pods: two of each Deployment, and the one of `helm test`."""
    items = [item for item in yaml.safe_load_all(helm.template(values)) if item]
    policies = [item for item in items if item["kind"] == "NetworkPolicy"]
    pods: list[PolicyPod] = []
    for item in items:
        if item["kind"] in ("Deployment", "Pod"):
            template = item["spec"].get("template", item)
            ports = [port["containerPort"] for port in template["spec"]["containers"][0].get("ports", [])]
            for number in range(1, item["spec"].get("replicas", 1) + 1):
                name = f"{item['metadata']['name'].removeprefix('anka-')}-{number}"
                address = f"10.9.0.{20 + len(pods)}"
                labels = template["metadata"]["labels"]
                pods.append(PolicyPod(name, NAMESPACE, address, labels, (*ports, OTHER) if ports else ()))
    return policies, pods


def who_reaches(helm: Helm, *others: PolicyPod, **values: Any) -> dict[tuple[str, int], set[str]]:
    """By pod and port, without itself."""
    policies, pods = rendered(helm, values)
    every = [*pods, *(others or STRANGERS)]
    plan = [
        {
            "name": pod.name, "address": pod.address, "ports": pod.ports,
            "allowed": _pairs(ingress(policies, pod, every)), "connects": _pairs(egress(policies, pod, every)),
        }
        for pod in every
    ]  # fmt: skip
    found: dict[tuple[str, int], set[str]] = {(pod.name, port): set() for pod in every for port in pod.ports}
    for source, target, port in small_network.reached(plan):
        if source != target:
            found[target, port].add(source)
    return found


def _pairs(found: set[tuple[str, int]] | None) -> list[tuple[str, int]] | None:
    return None if found is None else sorted(found)


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
    found = who_reaches(helm, networkPolicy=values | {"egress": {"enabled": False}})
    for number in (1, 2):
        operator, shim = f"operator-{number}", f"shim-{number}"
        assert found.pop((operator, OPERATOR)) == OURS - {operator} | to_operator
        assert found.pop((shim, SHIM)) == OURS - {shim} | to_shim
        assert found.pop((operator, OTHER)) == found.pop((shim, OTHER)) == set()
    assert found == {}


PODS = {"operator-1", "operator-2", "shim-1", "shim-2"}
IN_REGISTRY = [{"namespaceSelector": {"matchLabels": {NAME_LABEL: "anka-build-cloud"}}}]
AT_API = [{"ipBlock": {"cidr": "10.9.0.5/32"}}]


@pytest.mark.parametrize(
    ("egress", "elsewhere"),
    [
        ({}, {443, REGISTRY}),
        ({"apiTo": AT_API, "apiPorts": [API]}, {REGISTRY}),
        ({"registryTo": IN_REGISTRY}, {443}),
        ({"apiTo": AT_API, "registryTo": IN_REGISTRY}, set()),
        ({"apiTo": AT_API, "registryTo": IN_REGISTRY, "more": [{"ports": [{"port": 80}]}]}, {80}),
    ],
    ids=["defaults", "the API's address", "the registry's namespace", "both", "a rule besides"],
)
def test_what_the_pods_reach(helm: Helm, egress: dict[str, Any], elsewhere: set[int]) -> None:
    """What they need; elsewhere no more than has a port of these, and nothing where their places are named."""
    found = who_reaches(helm, *NEEDED, ELSEWHERE, networkPolicy={"egress": egress}, registry=REGISTRY_URL)
    # Those are not under any policy.
    found = {where: who - {pod.name for pod in (*NEEDED, ELSEWHERE)} for where, who in found.items()}
    assert found.pop(("dns", DNS)) == PODS | {"answers-1"}
    assert found.pop(("api", API)) == found.pop(("registry", REGISTRY)) == PODS
    assert {port for port in ELSEWHERE.ports if found.pop((ELSEWHERE.name, port))} == elsewhere
    for name, port in (("shim-1", SHIM), ("shim-2", SHIM)):
        assert found.pop((name, port)) == {"shim-1", "shim-2", "answers-1"} - {name}
    assert {where for where, who in found.items() if who} == set()


def test_the_port_of_a_service_is_not_that_of_its_pods(helm: Helm) -> None:
    registry = {"url": "http://registry.example.com"}
    for given, reached in (({}, set()), ({"registryPorts": [REGISTRY]}, PODS)):
        found = who_reaches(helm, *NEEDED, networkPolicy={"egress": given}, registry=registry)
        assert found["registry", REGISTRY] & PODS == reached


def test_without_policies_everybody_does(helm: Helm) -> None:
    """So the others are no mistake of the network."""
    found = who_reaches(helm, networkPolicy={"enabled": False})
    everybody = OURS | {pod.name for pod in STRANGERS}
    assert found == {(pod, port): everybody - {pod} for pod, port in found}
    assert len(found) == 8
