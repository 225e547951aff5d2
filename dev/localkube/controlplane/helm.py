"""The ``helm`` command, always with an explicit kubeconfig."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localkube.errors import DevError
from localkube.files import write_private


class Helm:
    """The release ``name`` of ``chart`` in ``namespace``, by the executable ``binary``, with files in ``directory``."""

    def __init__(
        self, binary: Path, chart: Path, kubeconfig: Path, directory: Path, *, name: str, namespace: str
    ) -> None:
        self.chart = chart
        self.name = name
        self.namespace = namespace
        self._binary = binary
        self._kubeconfig = kubeconfig
        self._directory = directory

    def upgrade(self, values: Mapping[str, Any], seconds: int = 180, *, chart: Path | None = None) -> None:
        """Install the release, or upgrade it to these values; returns once it is ready. DevError after ``seconds``."""
        self._run(
            "upgrade", "--install", self.name, str(chart or self.chart), "--create-namespace", "--wait",
            f"--timeout={seconds}s", values=values, seconds=seconds + 30,
        )  # fmt: skip

    def template(self, values: Mapping[str, Any]) -> str:
        """The manifests of an installation with these values, as YAML."""
        return self._run("template", self.name, str(self.chart), values=values)

    def lint(self, values: Mapping[str, Any]) -> str:
        """``helm lint --strict``; DevError when it finds anything."""
        return self._run("lint", str(self.chart), "--strict", values=values)

    def test(self) -> str:
        """``helm test``; DevError when it fails."""
        return self._run("test", self.name, "--timeout=60s")

    def notes(self) -> str:
        """The notes of the release, which helm shows after an installation."""
        return self._run("get", "notes", self.name)

    def manifest(self) -> str:
        """All objects of the release, as YAML."""
        return self._run("get", "manifest", self.name)

    def uninstall(self) -> None:
        """Remove the release; returns once its objects are deleted."""
        self._run("uninstall", self.name, "--wait", "--timeout=120s", seconds=150)

    def _run(self, *arguments: str, values: Mapping[str, Any] | None = None, seconds: float = 120) -> str:
        if values is not None:
            arguments += (f"--values={write_private(self._directory / 'values.json', json.dumps(values))}",)
        home = {f"HELM_{kind}_HOME": str(self._directory / "helm") for kind in ("CACHE", "CONFIG", "DATA")}
        # Without KUBECONFIG: the user's current cluster is never touched.
        env = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"} | home
        options = [f"--namespace={self.namespace}", f"--kubeconfig={self._kubeconfig}"]
        done = subprocess.run(
            [self._binary, *arguments, *options], env=env, capture_output=True, text=True, timeout=seconds, check=False
        )
        if done.returncode:
            raise DevError(f"helm {arguments[0]}: {'; '.join((done.stderr + done.stdout).strip().splitlines()[-4:])}")
        return done.stdout
