"""The ``helm`` command, always with an explicit kubeconfig."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anka_crds.process.files import write_private
from anka_dev.controlplane import binaries
from anka_dev.controlplane.progress import Say
from anka_dev.errors import DevError

CHART = Path(__file__).resolve().parents[3] / "charts" / "anka-cloud"


class Helm:
    """Our chart as release ``name`` in ``namespace``, with files in ``directory``; helm is built first if need be."""

    def __init__(self, kubeconfig: Path, directory: Path, say: Say, *, name: str = "anka",
                 namespace: str = "anka-system") -> None:  # fmt: skip
        self.name = name
        self.namespace = namespace
        self._binary = binaries.ensure_helm(os.environ, say)
        self._kubeconfig = kubeconfig
        self._directory = directory

    def upgrade(self, values: Mapping[str, Any], seconds: int = 180, *, chart: Path = CHART) -> None:
        """Install it, or bring it to these values; returns once all of it is ready. DevError after ``seconds``."""
        self._run(
            "upgrade", "--install", self.name, str(chart), "--create-namespace", "--wait", f"--timeout={seconds}s",
            values=values, seconds=seconds + 30,
        )  # fmt: skip

    def template(self, values: Mapping[str, Any]) -> str:
        """What would be installed, as YAML."""
        return self._run("template", self.name, str(CHART), values=values)

    def lint(self, values: Mapping[str, Any]) -> str:
        """DevError when there is anything to complain about."""
        return self._run("lint", str(CHART), "--strict", values=values)

    def test(self) -> str:
        """``helm test``; DevError when it fails."""
        return self._run("test", self.name, "--timeout=60s")

    def notes(self) -> str:
        """What it tells whoever has installed it."""
        return self._run("get", "notes", self.name)

    def manifest(self) -> str:
        """All objects of the release, as YAML."""
        return self._run("get", "manifest", self.name)

    def uninstall(self) -> None:
        """Returns once all is gone that goes."""
        self._run("uninstall", self.name, "--wait", "--timeout=120s", seconds=150)

    def _run(self, *arguments: str, values: Mapping[str, Any] | None = None, seconds: float = 120) -> str:
        if values is not None:
            arguments += (f"--values={write_private(self._directory / 'values.json', json.dumps(values))}",)
        home = {f"HELM_{kind}_HOME": str(self._directory / "helm") for kind in ("CACHE", "CONFIG", "DATA")}
        # Without KUBECONFIG: whatever cluster is current for the user is never touched.
        env = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"} | home
        options = [f"--namespace={self.namespace}", f"--kubeconfig={self._kubeconfig}"]
        done = subprocess.run(
            [self._binary, *arguments, *options], env=env, capture_output=True, text=True, timeout=seconds, check=False
        )
        if done.returncode:
            raise DevError(f"helm {arguments[0]}: {'; '.join((done.stderr + done.stdout).strip().splitlines()[-4:])}")
        return done.stdout
