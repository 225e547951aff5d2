"""A kind cluster, on machines with Docker."""

import contextlib
import shutil
import subprocess
import zlib
from pathlib import Path

from localkube.controlplane.cluster import ExternalCluster
from localkube.controlplane.kubectl import Kubectl
from localkube.errors import DevError
from localkube.progress import Say

_ANSWER_SECONDS = 20.0


def cluster_name(prefix: str, directory: Path) -> str:
    """One name for each directory, so that two can run side by side. Pure."""
    return f"{prefix}-{zlib.crc32(str(directory).encode()):08x}"


def _kind(*arguments: str) -> str:
    try:
        done = subprocess.run(["kind", *arguments], capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        raise DevError(f"kind {' '.join(arguments)}: no end after 600 s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        error = next((line for line in lines if line.startswith("ERROR")), (lines or ["no message"])[-1])
        raise DevError(f"kind {arguments[0]} {arguments[1]}: {error.removeprefix('ERROR: ')}")
    return done.stdout


class KindCluster(ExternalCluster):
    """Created for ``directory``, or the one that is there from before; deleted by ``stop`` unless data is kept."""

    def __init__(self, directory: Path, *, prefix: str, keep_data: bool, say: Say) -> None:
        for tool in ("docker", "kind"):
            if shutil.which(tool) is None:
                raise DevError(f"CLUSTER=kind needs {tool} in PATH: install it, or unset CLUSTER")
        directory = directory.absolute()
        directory.mkdir(parents=True, exist_ok=True)
        self._name = cluster_name(prefix, directory)
        self._keep = keep_data
        kubeconfig = directory / "admin.kubeconfig"
        there = self._name in _kind("get", "clusters").split()
        if not (there and self._is_usable(directory, kubeconfig)):
            if there:
                say(f"removing the kind cluster {self._name} of an earlier run")
                self._delete(kubeconfig)
            self._create(kubeconfig, say)
        super().__init__(directory, kubeconfig)

    def _is_usable(self, directory: Path, kubeconfig: Path) -> bool:
        """Whether the one from before is to be used again, and answers: a run that was killed leaves its cluster."""
        if not self._keep:
            return False
        try:
            _kind("export", "kubeconfig", f"--name={self._name}", f"--kubeconfig={kubeconfig}")
            Kubectl(kubeconfig, directory / "kubectl-cache").run("get", "--raw=/readyz", timeout=_ANSWER_SECONDS)
        except DevError:
            return False
        return True

    def _create(self, kubeconfig: Path, say: Say) -> None:
        say(f"creating the kind cluster {self._name}: a minute or two")
        try:
            _kind("create", "cluster", f"--name={self._name}", f"--kubeconfig={kubeconfig}", "--wait=180s")
        except DevError:
            # Half a cluster would be found by the next run. The error to show is the first one.
            with contextlib.suppress(DevError):
                self._delete(kubeconfig)
            raise

    def _delete(self, kubeconfig: Path) -> None:
        _kind("delete", "cluster", f"--name={self._name}", f"--kubeconfig={kubeconfig}")
        kubeconfig.unlink(missing_ok=True)

    def stop(self) -> None:
        """Delete the cluster, unless data is kept. May be called twice."""
        if not self._keep and self.kubeconfig.is_file():
            self._delete(self.kubeconfig)
