"""Which cluster to use."""

from pathlib import Path

from localkube.controlplane.audit import Audit
from localkube.controlplane.cluster import ExternalCluster, KubernetesCluster
from localkube.controlplane.embedded import ControlPlane
from localkube.controlplane.kind import KindCluster
from localkube.environment import Environment
from localkube.errors import DevError
from localkube.progress import Say, say_on_stderr


def wants_kind(env: Environment) -> bool:
    """Whether CLUSTER is ``kind``. DevError for any other value than that and nothing."""
    if (wish := env.variables.get("CLUSTER")) not in (None, "", "kind"):
        raise DevError(f"CLUSTER={wish} is unknown: kind, or nothing")
    return wish == "kind"


def needs_binaries(env: Environment) -> bool:
    """Whether `open_cluster` would run a control plane of our own."""
    return not env.get("KUBECONFIG") and not wants_kind(env)


def open_cluster(
    directory: Path,
    env: Environment,
    *,
    kubeconfig: Path | None = None,
    keep_data: bool = False,
    audit: Audit | None = None,
    copy_of: Path | None = None,
    say: Say = say_on_stderr,
) -> KubernetesCluster:
    """The cluster of the named kubeconfig (argument, else the setting KUBECONFIG); else kind for CLUSTER=kind; else
    our own control plane, from binaries that are here (KUBEBUILDER_ASSETS, cache), downloaded or built.

    Never the current cluster of the user's kubeconfig. ``copy_of`` is for our own alone: see ``ControlPlane.start``.
    """
    named = kubeconfig or (Path(path).expanduser() if (path := env.get("KUBECONFIG")) else None)
    if named:
        if not named.is_file():
            raise DevError(f"there is no kubeconfig {named}: correct or unset {env.name('KUBECONFIG')}")
        return ExternalCluster(directory, named)
    if wants_kind(env):
        return KindCluster(directory, prefix=env.prefix.lower(), keep_data=keep_data, say=say)
    return ControlPlane.start(directory, env, keep_data=keep_data, audit=audit, copy_of=copy_of, say=say)
