"""The chart, installed into a control plane whose pods run on this machine: from the built image where there is one."""

from __future__ import annotations

import json
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from anka_dev.cloud.container_hook import HOOK
from anka_dev.cloud.macs import RegistryHost
from anka_dev.local_kubernetes import audit, chart_release, environment
from anka_dev.repository import CHART
from localkube.controlplane import ControlPlane
from localkube.controlplane.helm import Helm
from localkube.pods import PodRunner
from localkube.pods.image import ContainerImage
from localkube.progress import say_on_stderr
from support.cloud import TAG, TEMPLATE
from support.cluster import audit_events
from support.image import no_containers

NAMESPACE = "anka-system"
SERVICE_PORT = 8091
LICENSE = "enterprise"
PACKAGE = "a package of the agent"
Json = dict[str, Any]


@dataclass
class ChartInstallation:
    """A cloud without processes of ours but its Macs: operator and shim are the chart's pods."""

    cloud: LocalCloud
    pods: PodRunner
    helm: Helm
    registry: RegistryHost
    template: str
    no_image: str
    """Why its pods are plain processes; empty where they are containers of the built image."""
    values: Json = field(default_factory=dict)

    def upgrade(self, chart: Path = CHART, **values: Any) -> None:
        """``helm upgrade --install --wait``; then REST goes through the Service, with the root token if needed."""
        self.helm.upgrade(self.values | values, chart=chart)
        self.cloud.urls[:] = [f"http://{self.pods.address('anka-shim', NAMESPACE)}:{SERVICE_PORT}"]
        self.cloud.root_token = self.access()["root-token"] if values.get("auth", {}).get("enabled", True) else ""

    def access(self) -> dict[str, str]:
        """What is in the Secret that the operator makes."""
        found = self.cloud.kubectl.run("get", "secret", "anka-access", f"--namespace={NAMESPACE}", "--output=json")
        return {key: b64decode(text).decode() for key, text in json.loads(found)["data"].items()}

    def list_objects(self, kinds: str, *options: str) -> list[Json]:
        """Objects of all namespaces."""
        found = self.cloud.kubectl.run("get", kinds, "--all-namespaces", "--output=json", *options)
        items: list[Json] = json.loads(found)["items"]
        return items

    def pods_of(self, part: str) -> list[Json]:
        """Those of ``operator`` or ``shim`` that are not being deleted."""
        found = self.list_objects("pods", f"--selector=app.kubernetes.io/component={part}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def release(self) -> dict[str, Json]:
        """All objects of the release as they are now."""
        found = self.cloud.kubectl.run("get", "--output=json", "--filename=-", stdin=self.helm.manifest())
        return {
            f"{item['kind']} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}": item
            for item in json.loads(found)["items"]
        }

    def tags(self) -> str:
        """Those of the template, as the operator has them, oldest first."""
        versions = "--output=jsonpath={.status.versions[*].tag}"
        return self.cloud.kubectl.run("get", "ankatemplate", self.template, versions)

    def audit_events(self) -> list[Json]:
        """The requests of operator, shim and agents to the API until now, with the answers."""
        return audit_events(self.cloud.cluster)

    def make(self, kind: str, name: str, namespace: str = "default", **spec: Any) -> None:
        """One of our objects, as a person makes it."""
        body = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.cloud.kubectl.run("create", f"--namespace={namespace}", "--filename=-", stdin=json.dumps(body))

    def until(self, true: Callable[[], Any], seconds: float = 60, what: str = "") -> Any:
        deadline = time.monotonic() + seconds
        while not (found := true()):
            assert time.monotonic() < deadline, what
            time.sleep(0.1)
        return found


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, ssh_key: Path, request: pytest.FixtureRequest
) -> Iterator[ChartInstallation]:
    """Control plane with controllers of Deployments, registry, pod runner; nothing is installed yet."""
    if sys.platform != "linux":
        pytest.skip("pods have loopback addresses of their own on Linux alone")
    image: ContainerImage | str = no_containers() or request.getfixturevalue("image_or_reason")
    directory = tmp_path_factory.mktemp("chart")
    log = audit("anka-system", "anka-nodes", "anka-joining")
    with ControlPlane.start(directory / "control-plane", environment(), audit=log, workloads=True) as plane:
        helm = chart_release(plane.kubeconfig, directory, say_on_stderr)
        runner = PodRunner(plane, directory / "pods", image=None if isinstance(image, str) else image, hook=HOOK)
        with LocalCloud(plane, directory) as cloud, runner as pods:
            registry = cloud.start_registry()
            template = registry.add_template(
                TEMPLATE, [TAG], size=50_000_000, authorized_keys=ssh_key.with_suffix(".pub").read_text()
            )
            values = {
                "listen": "$(POD_IP)",
                # As a team sets it up that comes from the old chart: tests/e2e/test_chart_switching.py.
                "registry": {"url": registry.url.replace("127.0.0.1", "localhost"), "internalUrl": registry.url},
                "service": {"port": SERVICE_PORT},
                "operator": {"flags": {"registry-seconds": 1}},
                "shim": {
                    # The address of a pod is one of this machine's, as no real one is: any name would do there.
                    "flags": {
                        "terminated-seconds": 3,
                        "pkg-dir": "/packages",
                        "allowed-hosts": "*",
                        # Tests ask any replica, on a machine that is busier than a cluster's.
                        "peer-seconds": 2,
                    },
                    "env": [{"name": "ANKA_LICENSE", "value": LICENSE}],
                    "volumes": [{"name": "packages", "configMap": {"name": "packages"}}],
                    "volumeMounts": [{"name": "packages", "mountPath": "/packages", "readOnly": True}],
                },
            }
            packages = {"kind": "ConfigMap", "metadata": {"name": "packages"}, "data": {"AnkaAgent.pkg": PACKAGE}}
            plane.kubectl.run("create", "namespace", NAMESPACE)
            plane.kubectl.run(
                "create", "--filename=-", f"--namespace={NAMESPACE}", stdin=json.dumps({"apiVersion": "v1", **packages})
            )
            no_image = image if isinstance(image, str) else ""
            yield ChartInstallation(cloud, pods, helm, registry, template, no_image, values)
