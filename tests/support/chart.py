"""The chart, installed into a control plane whose pods run on this machine: from the built image where there is one."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from anka_dev.cloud.macs import RegistryHost
from anka_dev.controlplane import ControlPlane
from anka_dev.controlplane.embedded import say_on_stderr
from anka_dev.controlplane.helm import CHART, Helm
from anka_dev.image.built import Image
from anka_dev.pods import PodRunner
from support.cloud import TAG, TEMPLATE
from support.image import no_containers

NAMESPACE = "anka-system"
Json = dict[str, Any]


@dataclass
class Charted:
    """A cloud without processes of ours but its Macs: operator and shim are the chart's pods."""

    cloud: LocalCloud
    pods: PodRunner
    helm: Helm
    registry: RegistryHost
    template: str
    values: Json = field(default_factory=dict)

    def upgrade(self, chart: Path = CHART, **values: Any) -> None:
        """``helm upgrade --install --wait``; then REST goes through the Service."""
        self.helm.upgrade(self.values | values, chart=chart)
        self.cloud.urls[:] = [f"http://{self.pods.address('anka-shim', NAMESPACE)}:8090"]

    def listed(self, kinds: str, *options: str) -> list[Json]:
        """Objects of all namespaces."""
        found = self.cloud.kubectl.run("get", kinds, "--all-namespaces", "--output=json", *options)
        items: list[Json] = json.loads(found)["items"]
        return items

    def pods_of(self, part: str) -> list[Json]:
        """Those of ``operator`` or ``shim`` that are not being deleted."""
        found = self.listed("pods", f"--selector=app.kubernetes.io/component={part}")
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

    def asked(self) -> list[Json]:
        """What operator, shim and agents have asked of the API until now, with the answers."""
        log = self.cloud.cluster.audit_log
        assert log is not None
        return [json.loads(line) for line in log.read_text().splitlines()]

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
def charted(
    tmp_path_factory: pytest.TempPathFactory, ssh_key: Path, request: pytest.FixtureRequest
) -> Iterator[Charted]:
    """Control plane with controllers of Deployments, registry, pod runner; nothing is installed yet."""
    if sys.platform != "linux":
        pytest.skip("pods have loopback addresses of their own on Linux alone")
    image: Image | None = None if no_containers() else request.getfixturevalue("built_image")
    directory = tmp_path_factory.mktemp("charted")
    audited = ("anka-system", "anka-nodes")
    with ControlPlane.start(directory / "control-plane", audit=True, workloads=True, audited=audited) as plane:
        helm = Helm(plane.kubeconfig, directory, say_on_stderr)
        with LocalCloud(plane, directory) as cloud, PodRunner(plane, directory / "pods", image) as pods:
            registry = cloud.start_registry()
            template = registry.add_template(
                TEMPLATE, [TAG], size=50_000_000, authorized_keys=ssh_key.with_suffix(".pub").read_text()
            )
            values = {
                "listen": "$(POD_IP)",
                "registry": {"url": registry.url},
                "operator": {"flags": {"registry-seconds": 1}},
                "shim": {"flags": {"terminated-seconds": 3}},
            }
            yield Charted(cloud, pods, helm, registry, template, values)
