"""The Kubernetes API that tests run against."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anka_dev.cloud.install import install, wait_policies
from anka_dev.local_kubernetes import audit, environment
from anka_dev.repository import BASE
from localkube.controlplane import ControlPlane, KubernetesCluster, open_cluster
from localkube.controlplane.choose import needs_binaries
from localkube.environment import Environment
from localkube.filelock import hold_lock

INSTALL_SECONDS = 600.0
"""How long one test process waits for another that installs, on a machine however busy."""


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory, installed_data: Path | None) -> Iterator[KubernetesCluster]:
    """One cluster for each test process: ours with an audit log, or the one that ANKA_KUBECONFIG names.

    Tests share it: each works in its own namespace, under its own names.
    """
    directory = tmp_path_factory.mktemp("control-plane")
    with open_cluster(directory, environment(), audit=audit(), copy_of=installed_data) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def installed(control_plane: KubernetesCluster) -> KubernetesCluster:
    """The same, with kinds, policies, namespaces and roles in force."""
    have_installed(control_plane)
    return control_plane


@pytest.fixture(scope="session")
def installed_data(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A control plane that was stopped when all was installed, for others to begin as a copy of it. It takes a third
    of the time, so one makes it for all processes of this run. None where no control plane is ours."""
    if not needs_binaries(_own_environment()):
        return None
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "installed"
    busy = "process {pid} still installs what control planes begin with"
    lock = directory.with_suffix(".lock")
    with hold_lock(lock, timeout=INSTALL_SECONDS, on_wait=lambda _pid, _seconds: None, busy=busy):
        if not directory.exists():
            _install_into(directory)
    return directory


def _install_into(directory: Path) -> None:
    """The directory is there once all is installed."""
    unfinished = directory.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with ControlPlane.start(unfinished, _own_environment(), keep_data=True) as plane:
        install(plane)
    unfinished.rename(directory)


def start_installed(directory: Path, data: Path | None) -> KubernetesCluster:
    """One for a module alone, with kinds, policies, namespaces and roles in force: ours with an audit log, or kind for
    CLUSTER=kind. Never one that ANKA_KUBECONFIG names: modules would meet in it."""
    cluster = open_cluster(directory, _own_environment(), audit=audit(), copy_of=data)
    try:
        have_installed(cluster)
    except BaseException:
        cluster.stop()
        raise
    return cluster


def have_installed(cluster: KubernetesCluster) -> None:
    """In ours all is installed from the start, and in force a moment later."""
    if isinstance(cluster, ControlPlane):
        wait_policies(cluster, *BASE.glob("*.yaml"))
    else:
        install(cluster)


def _own_environment() -> Environment:
    return environment({name: value for name, value in os.environ.items() if name != "ANKA_KUBECONFIG"})


def audit_events(cluster: KubernetesCluster) -> list[dict[str, Any]]:
    """Lines of the audit log; the test is skipped on a cluster that is not ours.

    A line comes a moment after the answer to its request: who expects some waits for them."""
    if cluster.audit_log is None:
        pytest.skip("needs the audit log of the control plane that we run ourselves")
    # The last line may be on its way.
    lines = cluster.audit_log.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


@pytest.fixture
def own_control_plane(control_plane: KubernetesCluster) -> ControlPlane:
    """The same, for tests that kill its processes or read its audit log; skipped on a cluster that is not ours."""
    if not isinstance(control_plane, ControlPlane):
        pytest.skip("needs the control plane that we run ourselves")
    return control_plane
