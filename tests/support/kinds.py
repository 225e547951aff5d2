"""A cluster that serves our kinds, with the admission policies in force."""

import json
from pathlib import Path
from typing import Any

import pytest

from anka_dev.cloud.install import wait_policies
from localkube.controlplane import KubernetesCluster, apply, wait_established

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "kinds"
POLICIES = ("finalizer-policy.yaml", "validation-policy.yaml")


def instance(name: str, **spec: Any) -> str:
    return json.dumps(
        {
            "apiVersion": "anka.veertu.com/v1alpha1",
            "kind": "AnkaInstance",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"template": "t", **spec},
        }
    )


@pytest.fixture(scope="session")
def served_kinds(control_plane: KubernetesCluster) -> KubernetesCluster:
    apply(control_plane, ROOT / "crds")
    wait_established(control_plane)
    policies = [ROOT / "charts" / "base" / name for name in POLICIES]
    apply(control_plane, *policies)
    namespace = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    control_plane.kubectl.run("apply", "-f-", stdin=namespace)
    wait_policies(control_plane, *policies)
    return control_plane
