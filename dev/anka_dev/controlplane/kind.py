"""A kind cluster, on machines with Docker."""

import shutil
import subprocess
import zlib
from pathlib import Path

from anka_dev.controlplane.cluster import ExternalCluster
from anka_dev.errors import DevError


def cluster_name(directory: Path) -> str:
    """One name for each directory, so that two can run side by side. Pure."""
    return f"anka-{zlib.crc32(str(directory).encode()):08x}"


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

    def __init__(self, directory: Path, *, keep_data: bool) -> None:
        for tool in ("docker", "kind"):
            if shutil.which(tool) is None:
                raise DevError(f"CLUSTER=kind needs {tool} in PATH: install it, or unset CLUSTER")
        directory = directory.absolute()
        directory.mkdir(parents=True, exist_ok=True)
        self._name = cluster_name(directory)
        self._keep = keep_data
        kubeconfig = directory / "admin.kubeconfig"
        if self._name in _kind("get", "clusters").split():
            _kind("export", "kubeconfig", f"--name={self._name}", f"--kubeconfig={kubeconfig}")
        else:
            _kind("create", "cluster", f"--name={self._name}", f"--kubeconfig={kubeconfig}", "--wait=180s")
        super().__init__(directory, kubeconfig)

    def stop(self) -> None:
        """Delete the cluster, unless data is kept."""
        if not self._keep:
            _kind("delete", "cluster", f"--name={self._name}", f"--kubeconfig={self.kubeconfig}")
