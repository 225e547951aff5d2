"""Access to a Kubernetes API, however it is run."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from localkube.controlplane import kubeconfig as documents
from localkube.controlplane.kubectl import Kubectl
from localkube.errors import DevError
from localkube.files import write_private


class KubernetesCluster:
    """``server`` (URL), ``ca_file`` and an administrator's ``kubeconfig``; a context manager.

    Leaving it stops what was started for it. ``audit_log`` is None where none can be read; files go to ``directory``.
    """

    def __init__(
        self, directory: Path, server: str, ca_file: Path, kubeconfig: Path, audit_log: Path | None = None
    ) -> None:
        self.directory = directory
        self.server = server
        self.ca_file = ca_file
        self.kubeconfig = kubeconfig
        self.audit_log = audit_log
        self.kubectl = Kubectl(kubeconfig, directory / "kubectl-cache")

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the components that run on this machine, by their names; for CPU accounting."""
        return {}

    def stop(self) -> None:
        """Stop what was started for this cluster. May be called twice."""

    def kubeconfig_for(self, service_account: str, namespace: str, path: Path, *, seconds: int = 86_400) -> Path:
        """Write ``path``: a kubeconfig for an existing service account, with a token for ``seconds`` (600 or more).

        The token is in a file beside it, ``<path>.token``; both are 0600. A second call replaces the token, for
        clients that read their token file again. DevError when there is no such service account.
        """
        token = self.kubectl.run(
            "create", "token", service_account, f"--namespace={namespace}", f"--duration={seconds}s"
        )
        token_file = write_private(path.with_name(f"{path.name}.token").absolute(), token.strip())
        return write_private(
            path,
            documents.with_token_file(self.server, self.ca_file.read_bytes(), str(token_file), namespace),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class ExternalCluster(KubernetesCluster):
    """The cluster of a kubeconfig: used as it is, never started, never stopped."""

    def __init__(self, directory: Path, kubeconfig: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        view = json.loads(
            Kubectl(kubeconfig, directory / "kubectl-cache").run(
                "config", "view", "--minify", "--flatten", "--raw", "--output=json"
            )
        )
        cluster = view["clusters"][0]["cluster"]
        if "certificate-authority-data" not in cluster:
            raise DevError(f"{kubeconfig} has no certificate authority: it is needed to make other kubeconfigs")
        ca = write_private(directory / "ca.crt", base64.b64decode(cluster["certificate-authority-data"]))
        super().__init__(directory, cluster["server"], ca, kubeconfig)


def apply(cluster: KubernetesCluster, *files: Path) -> str:
    """``kubectl apply --server-side`` of files and folders as the administrator; returns kubectl's output."""
    return cluster.kubectl.run("apply", "--server-side", *(f"--filename={file}" for file in files))


def wait_established(cluster: KubernetesCluster, seconds: float = 30) -> None:
    """Return once every CustomResourceDefinition is served. DevError after ``seconds``, or when there is none."""
    cluster.kubectl.run(
        "wait", "--for=condition=Established", "customresourcedefinitions", "--all", f"--timeout={seconds:g}s",
        timeout=seconds + 10,
    )  # fmt: skip
