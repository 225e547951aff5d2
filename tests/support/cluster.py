"""The Kubernetes API that tests run against."""

from collections.abc import Iterator

import pytest

from anka_dev.controlplane import Cluster, ControlPlane, open_cluster


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster for each test process: ours with an audit log, or the one that ANKA_KUBECONFIG names.

    Tests share it: each works in its own namespace, under its own names.
    """
    with open_cluster(tmp_path_factory.mktemp("control-plane"), audit=True) as cluster:
        yield cluster


@pytest.fixture
def own_control_plane(control_plane: Cluster) -> ControlPlane:
    """The same, for tests that kill its processes or read its audit log; skipped on a cluster that is not ours."""
    if not isinstance(control_plane, ControlPlane):
        pytest.skip("needs the control plane that we run ourselves")
    return control_plane
