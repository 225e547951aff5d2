"""A whole build cloud with real processes: control plane, registry, operator, shim, simulated Macs with agents."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anka_dev.cloud import LocalCloud
from localkube.controlplane import KubernetesCluster
from support.cluster import start_installed

TEMPLATE = "macos-15"
TAG = "vanilla"
# Fast, but not instant: a step that a crash can fall into must last a moment.
FAST_MAC = {
    "max_running": 4,
    "ram_bytes": 64 << 30,
    "delays": {"clone": 0.05, "start": [0.05, 0.3], "network": 0.1, "stop": 0.05, "delete": 0.02},
}


@pytest.fixture(scope="session")
def ssh_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key whose public half every template's user lets in."""
    key = tmp_path_factory.mktemp("ssh") / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    return key


@pytest.fixture(scope="module")
def make_cloud(
    tmp_path_factory: pytest.TempPathFactory, ssh_key: Path, installed_data: Path | None
) -> Iterator[Callable[[], LocalCloud]]:
    """Makes clouds of this module: a control plane with an audit log, kinds installed, a registry with one template.

    No process of ours runs in it yet. All of it ends with the module."""
    made: list[tuple[LocalCloud, KubernetesCluster]] = []

    def make() -> LocalCloud:
        directory = tmp_path_factory.mktemp("cloud")
        plane = start_installed(directory / "control-plane", installed_data)
        cloud = LocalCloud(plane, directory)
        made.append((cloud, plane))
        cloud.start_registry().add_template(
            TEMPLATE, [TAG], size=50_000_000, authorized_keys=ssh_key.with_suffix(".pub").read_text()
        )
        return cloud

    yield make
    for cloud, plane in made:
        cloud.stop()
        plane.stop()


@pytest.fixture(scope="module")
def cloud(make_cloud: Callable[[], LocalCloud]) -> LocalCloud:
    """One operator, one shim, two Macs of four slots each; all ready."""
    cloud = make_cloud()
    cloud.start_operator()
    cloud.start_shim()
    for name in ("mac-01", "mac-02"):
        cloud.add_mac(name, "--max-vm-count=4", "--heartbeat=2", "--lease-duration=8", **FAST_MAC)
    cloud.wait_ready()
    return cloud
