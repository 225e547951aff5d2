"""Which cluster to use, in the order that the design fixes."""

import os
from collections.abc import Mapping
from pathlib import Path

from anka_dev.controlplane.cluster import Cluster, ExternalCluster
from anka_dev.controlplane.embedded import ControlPlane, say_on_stderr
from anka_dev.controlplane.kind import KindCluster
from anka_dev.controlplane.progress import Say
from anka_dev.errors import DevError


def wants_kind(env: Mapping[str, str]) -> bool:
    """Whether CLUSTER says so. DevError when it says something unknown."""
    if (wish := env.get("CLUSTER")) not in (None, "", "kind"):
        raise DevError(f"CLUSTER={wish} is unknown: kind, or nothing")
    return wish == "kind"


def needs_binaries(env: Mapping[str, str]) -> bool:
    """Whether `open_cluster` would run a control plane of ours."""
    return not env.get("ANKA_KUBECONFIG") and not wants_kind(env)


def open_cluster(
    directory: Path,
    *,
    kubeconfig: Path | None = None,
    keep_data: bool = False,
    audit: bool = False,
    say: Say = say_on_stderr,
    env: Mapping[str, str] = os.environ,
) -> Cluster:
    """The named kubeconfig's cluster (argument, else ANKA_KUBECONFIG); else kind for CLUSTER=kind; else ours, from
    binaries that are here (KUBEBUILDER_ASSETS, cache), or are downloaded or built.

    Never the cluster that happens to be current in the user's kubeconfig.
    """
    named = kubeconfig or (Path(env["ANKA_KUBECONFIG"]).expanduser() if env.get("ANKA_KUBECONFIG") else None)
    if named:
        return ExternalCluster(directory, named)
    if wants_kind(env):
        return KindCluster(directory, keep_data=keep_data, say=say)
    return ControlPlane.start(directory, keep_data, audit, say=say, env=env)
