"""The chart, installed into a control plane whose pods are processes of this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from anka_dev.controlplane import ControlPlane
from anka_dev.controlplane.embedded import say_on_stderr
from anka_dev.controlplane.helm import Helm
from anka_dev.pods import PodRunner
from support.cloud import TAG, TEMPLATE

SERVICE = "anka-shim.anka-system.svc"


@dataclass
class Charted:
    """A cloud without processes of ours but its Macs: operator and shim are the chart's pods."""

    cloud: LocalCloud
    pods: PodRunner
    helm: Helm
    values: dict[str, Any] = field(default_factory=dict)

    def upgrade(self, **values: Any) -> None:
        """``helm upgrade --install --wait``; then REST goes to the pods of the Service."""
        self.helm.upgrade(self.values | values)
        self.cloud.urls[:] = [f"http://{address}:8090" for address in self.pods.addresses(SERVICE)]


@pytest.fixture(scope="module")
def charted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Charted]:
    """Control plane with controllers of Deployments, registry, pod runner; nothing is installed yet."""
    if sys.platform != "linux":
        pytest.skip("pods have loopback addresses of their own on Linux alone")
    directory = tmp_path_factory.mktemp("charted")
    with ControlPlane.start(directory / "control-plane", audit=True, workloads=True) as plane:
        helm = Helm(plane.kubeconfig, directory, say_on_stderr)
        with LocalCloud(plane, directory) as cloud, PodRunner(plane, directory / "pods") as pods:
            registry = cloud.start_registry()
            registry.add_template(TEMPLATE, [TAG], size=50_000_000)
            values = {"listen": "$(POD_IP)", "registry": {"url": registry.url}}
            yield Charted(cloud, pods, helm, values)
