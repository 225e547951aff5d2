"""A cluster that serves our kinds, with the admission policies in force."""

import json
from pathlib import Path
from typing import Any

import pytest

from anka_dev.controlplane import Cluster, apply, wait_established
from anka_dev.errors import DevError

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
def served_kinds(control_plane: Cluster) -> Cluster:
    apply(control_plane, ROOT / "crds")
    wait_established(control_plane)
    apply(control_plane, *(ROOT / "charts" / "base" / name for name in POLICIES))
    namespace = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    control_plane.kubectl.run("apply", "-f-", stdin=namespace)
    _policies_in_force(control_plane)
    return control_plane


def _policies_in_force(cluster: Cluster) -> None:
    """A policy is in force a moment after it is stored: dry runs ask until both are."""
    for _ in range(200):
        try:
            made = json.loads(
                cluster.kubectl.run("create", "--dry-run=server", "-ojson", "-f-", stdin=instance("in-force"))
            )
        except DevError as error:
            # The policy is there before it has found out about the kind: that takes up to half a minute.
            if "There can be a delay" not in str(error):
                raise
            continue
        if "finalizers" not in made["metadata"]:
            continue
        try:
            cluster.kubectl.run("create", "--dry-run=server", "-f-", stdin=instance("in-force", metadata={"a": {}}))
        except DevError:
            return
    pytest.fail("the admission policies are not in force")
