"""Which cluster to use, in the order that the design fixes."""

import os
from collections.abc import Mapping
from pathlib import Path

from anka_dev.controlplane import binaries
from anka_dev.controlplane.cluster import Cluster, ExternalCluster
from anka_dev.controlplane.embedded import ControlPlane, say_on_stderr
from anka_dev.controlplane.kind import KindCluster
from anka_dev.controlplane.progress import Say
from anka_dev.errors import DevError


def open_cluster(
    directory: Path,
    *,
    kubeconfig: Path | None = None,
    keep_data: bool = False,
    audit: bool = False,
    say: Say = say_on_stderr,
    env: Mapping[str, str] = os.environ,
) -> Cluster:
    """The named kubeconfig's cluster (argument, else ANKA_KUBECONFIG); else ours from binaries that are here
    (KUBEBUILDER_ASSETS, cache); else kind for CLUSTER=kind; else ours from downloaded or built binaries.

    Never the cluster that happens to be current in the user's kubeconfig.
    """
    named = kubeconfig or (Path(env["ANKA_KUBECONFIG"]).expanduser() if env.get("ANKA_KUBECONFIG") else None)
    if named:
        return ExternalCluster(directory, named)
    if (wish := env.get("CLUSTER")) not in (None, "", "kind"):
        raise DevError(f"CLUSTER={wish} is unknown: kind, or nothing")
    if wish == "kind":
        if not binaries.complete(env, binaries.this_machine()):
            return KindCluster(directory, keep_data=keep_data)
        say("CLUSTER=kind is not needed: the control plane's binaries are here")
    return ControlPlane.start(directory, keep_data, audit, say=say, env=env)
