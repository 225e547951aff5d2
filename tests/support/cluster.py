"""The Kubernetes API that tests run against."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anka_dev.local_kubernetes import audit, environment
from localkube.controlplane import ControlPlane, KubernetesCluster, open_cluster


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubernetesCluster]:
    """One cluster for each test process: ours with an audit log, or the one that ANKA_KUBECONFIG names.

    Tests share it: each works in its own namespace, under its own names.
    """
    with open_cluster(tmp_path_factory.mktemp("control-plane"), environment(), audit=audit()) as cluster:
        yield cluster


def start_cluster(directory: Path) -> KubernetesCluster:
    """One for a module alone: ours with an audit log, or kind for CLUSTER=kind. Never one that ANKA_KUBECONFIG names:
    modules would meet in it."""
    variables = {name: value for name, value in os.environ.items() if name != "ANKA_KUBECONFIG"}
    return open_cluster(directory, environment(variables), audit=audit())


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
