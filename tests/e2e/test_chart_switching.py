"""What teams set that come from the old chart (docs/operate/old-chart.md), as helm renders it.

That the processes honour it: tests/e2e/test_chart_install.py, tests/unit/registry/test_certificate_authority.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_dev.local_kubernetes import chart_release
from anka_dev.repository import ROOT
from anka_shim.old_settings.chart_values import translate
from anka_shim.old_settings.environment_file import parse
from localkube.controlplane import KubernetesCluster
from localkube.controlplane.helm import Helm
from localkube.progress import say_on_stderr
from support.chart_lint import lint

pytestmark = pytest.mark.e2e

NAMESPACE = "anka-system"
EXAMPLE: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "migrate" / "values.yaml").read_text())
CA = {"name": "ca", "configMap": {"name": "company-ca"}}
MOUNT = {"name": "ca", "mountPath": "/ca", "readOnly": True}
VARIABLE = {"name": "SSL_CERT_FILE", "value": "/ca/ca.crt"}
AFFINITY: dict[str, Any] = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
TOLERATION = {"key": "ci", "operator": "Exists"}
URL, INTERNAL = "https://registry.example.com:8089", "http://registry.old.svc:8089"
SHIM, OPERATOR = ("Deployment", "anka-shim"), ("Deployment", "anka-operator")
SERVICE, INGRESS, ROUTE = ("Service", "anka-shim"), ("Ingress", "anka-shim"), ("HTTPRoute", "anka-shim")
POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"
ON = {"enabled": True}

Object = dict[str, Any]


def both(**values: Any) -> Object:
    return {"shim": values, "operator": values}


CASES: list[tuple[str, Object, tuple[str, str], str, Any]] = [
    ("image", {"image": {"repository": "r.example/a"}}, SHIM, f"{CONTAINER}.image", "r.example/a:0.1.0"),
    ("version", {"image": {"tag": "1.2.3"}}, OPERATOR, f"{CONTAINER}.image", "anka-cloud:1.2.3"),
    ("replicaCount", {"shim": {"replicas": 3}}, SHIM, "spec.replicas", 3),
    ("env of the shim", both(env=[VARIABLE]), SHIM, f"{CONTAINER}.env.1", VARIABLE),
    ("env of the operator", both(env=[VARIABLE]), OPERATOR, f"{CONTAINER}.env.1", VARIABLE),
    ("volumes of the shim", both(volumes=[CA], volumeMounts=[MOUNT]), SHIM, f"{POD}.volumes.2", CA),
    ("volumes of the operator", both(volumes=[CA], volumeMounts=[MOUNT]), OPERATOR, f"{POD}.volumes.1", CA),
    ("volumeMounts of the shim", both(volumes=[CA], volumeMounts=[MOUNT]), SHIM, f"{CONTAINER}.volumeMounts.2", MOUNT),
    ("volumeMounts of the operator", both(volumes=[CA], volumeMounts=[MOUNT]), OPERATOR,
     f"{CONTAINER}.volumeMounts.1", MOUNT),
    ("registry, as Macs reach it", {"registry": {"url": URL, "internalUrl": INTERNAL}}, SHIM, f"{CONTAINER}.args",
     f"--registry-url={URL}"),
    ("registry, as we reach it", {"registry": {"url": URL, "internalUrl": INTERNAL}}, SHIM, f"{CONTAINER}.args",
     f"--registry-internal-url={INTERNAL}"),
    ("and the operator", {"registry": {"url": URL, "internalUrl": INTERNAL}}, OPERATOR, f"{CONTAINER}.args",
     f"--registry-internal-url={INTERNAL}"),
    ("Service port", {"service": {"port": 80}}, SERVICE, "spec.ports.0",
     {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}),
    ("its route", {"service": {"port": 80}, "gateway": ON | {"parents": [{"name": "g"}]}}, ROUTE,
     "spec.rules.0.backendRefs.0.port", 80),
    ("node port", {"service": {"type": "NodePort", "nodePort": 30080}}, SERVICE, "spec.ports.0.nodePort", 30080),
    ("source ranges", {"service": {"spec": {"loadBalancerSourceRanges": ["10.0.0.0/8"]}}}, SERVICE,
     "spec.loadBalancerSourceRanges", ["10.0.0.0/8"]),
    ("annotations of the Service", {"service": {"annotations": {"a": "b"}}}, SERVICE, "metadata.annotations",
     {"a": "b"}),
    ("ingress class", {"ingress": ON | {"className": "alb"}}, INGRESS, "spec.ingressClassName", "alb"),
    ("ingress host", {"ingress": ON | {"host": "c.example"}}, INGRESS, "spec.rules.0.host", "c.example"),
    ("ingress TLS", {"ingress": ON | {"host": "c.example", "tlsSecret": "t"}}, INGRESS, "spec.tls",
     [{"hosts": ["c.example"], "secretName": "t"}]),
    ("ingress annotations", {"ingress": ON | {"annotations": {"a": "b"}}}, INGRESS, "metadata.annotations", {"a": "b"}),
    ("affinity", {"affinity": AFFINITY}, SHIM, f"{POD}.affinity", AFFINITY),
    ("node selector", {"nodeSelector": {"zone": "a"}}, OPERATOR, f"{POD}.nodeSelector",
     {"kubernetes.io/os": "linux", "zone": "a"}),
    ("tolerations", {"tolerations": [TOLERATION]}, SHIM, f"{POD}.tolerations", [TOLERATION]),
    ("pull secrets", {"image": {"pullSecrets": [{"name": "p"}]}}, SHIM, f"{POD}.imagePullSecrets", [{"name": "p"}]),
    ("pull policy", {"image": {"pullPolicy": "Always"}}, SHIM, f"{CONTAINER}.imagePullPolicy", "Always"),
    ("annotations of the Deployment", both(annotations={"a": "b"}), OPERATOR, "metadata.annotations", {"a": "b"}),
    ("annotations of pods", {"podAnnotations": {"a": "b"}}, SHIM, "spec.template.metadata.annotations", {"a": "b"}),
    ("resources", {"shim": {"resources": {"limits": {"memory": "2Gi"}}}}, SHIM, f"{CONTAINER}.resources.limits",
     {"memory": "2Gi"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    directory: Path = tmp_path_factory.mktemp("helm")
    return chart_release(directory / "none.kubeconfig", directory, say_on_stderr)


def rendered(helm: Helm, values: Object) -> list[Object]:
    return [one for one in yaml.safe_load_all(helm.template(values)) if one]


def at(objects: list[Object], which: tuple[str, str], path: str) -> Any:
    found: Any = next(one for one in objects if (one["kind"], one["metadata"]["name"]) == which)
    for part in path.split("."):
        found = found[int(part)] if part.isdecimal() else found[part]
    return found


@pytest.mark.parametrize(("values", "which", "path", "wanted"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_what_is_set_is_there(helm: Helm, values: Object, which: tuple[str, str], path: str, wanted: Any) -> None:
    """And not by default. Arguments are one of several."""
    objects = rendered(helm, values)
    assert lint(objects, NAMESPACE) == []
    found = at(objects, which, path)
    assert wanted in found if path.endswith(".args") else found == wanted


ENVIRONMENT = """
export ANKA_ANKA_REGISTRY="https://registry.example.com:8089"
ANKA_LOCAL_ANKA_REGISTRY=http://registry.old.svc:8089
ANKA_LISTEN_ADDR=:80
ANKA_ENABLE_AUTH=true
ANKA_ROOT_TOKEN=0123456789
ANKA_ENABLE_API_KEYS=true
ANKA_API_KEYS_SESSION_TTL=10m
ANKA_INSTANCE_TIME_OUT=1m30s
ANKA_PUSH_REGISTRY=http://push.example.com:8089
ANKA_NODE_ACTIVE_TIMEOUT=2m
ANKA_GRACEFUL_SHUTDOWN_TIMEOUT=10s
ANKA_ENABLE_CENTRAL_LOGGING=true
ANKA_V=1
"""


def test_what_an_old_environment_becomes(helm: Helm) -> None:
    """`anka-shim translate-env`: the chart takes its values, and the programs get the flags."""
    found = translate(parse(ENVIRONMENT).settings)
    assert found.faults == []
    helm.lint(found.values)
    objects = rendered(helm, found.values)
    assert lint(objects, NAMESPACE) == []
    shim, operator = (at(objects, which, f"{CONTAINER}.args") for which in (SHIM, OPERATOR))
    assert {
        f"--registry-url={URL}",
        f"--registry-internal-url={INTERNAL}",
        "--enable-auth",
        "--enable-api-keys",
        "--root-token-file=/etc/anka/access/root-token",
        "--seal-key-file=/etc/anka/access/seal-key",
        "--peer-key-file=/etc/anka/access/peer-key",
        "--api-key-session-seconds=600",
        "--terminated-seconds=90",
        "--push-registry=http://push.example.com:8089",
        "--drain-seconds=10",
        "--log-level=DEBUG",
    } <= set(shim)
    assert {"--heartbeat-seconds=120", "--make-access-secret"} <= set(operator)
    assert at(objects, SERVICE, "spec.ports.0.port") == 80
    assert "0123456789" not in str(objects)


def test_labels_are_on_everything(helm: Helm) -> None:
    values = {"commonLabels": {"cost-centre": "ci"}, "ingress": ON, "monitoring": {"podMonitor": True}}
    assert {one["metadata"]["labels"]["cost-centre"] for one in rendered(helm, values)} == {"ci"}


def test_the_example(helm: Helm, served_kinds: KubernetesCluster) -> None:
    """It is sound, an apiserver takes its pods' volumes, and what the old chart's README sets is in it."""
    helm.lint(EXAMPLE)
    objects = rendered(helm, EXAMPLE)
    assert lint(objects, NAMESPACE) == []
    args = at(objects, SHIM, f"{CONTAINER}.args")
    assert {f"--registry-url={EXAMPLE['registry']['url']}", "--pkg-dir=/packages"} <= set(args)
    assert at(objects, SERVICE, "spec.ports.0.port") == 80
    assert at(objects, INGRESS, "spec.tls.0.secretName") == "anka-build-cloud-cert"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    served_kinds.kubectl.run("apply", "--server-side", "--filename=-", stdin=yaml.safe_dump(namespace))
    taken = [one for one in objects if one["kind"] in ("Deployment", "Service", "Ingress", "NetworkPolicy")]
    strictly = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename=-")
    said = served_kinds.kubectl.run(*strictly, stdin=yaml.safe_dump_all(taken))
    assert len(said.splitlines()) == len(taken)
