"""kube-scheduler beside a control plane, without rate limits: for comparison in benchmarks."""

from __future__ import annotations

import json
from pathlib import Path

from localkube.controlplane.process import Component
from localkube.environment import Environment
from localkube.programs import binaries, versions
from localkube.progress import Say

# With its defaults (50 and 100) these would be what is measured.
_UNLIMITED_QPS = 100_000


def configuration(kubeconfig: Path) -> str:
    """A KubeSchedulerConfiguration with the default profile and no limit on its requests. Pure; JSON is YAML."""
    return json.dumps(
        {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {"kubeconfig": str(kubeconfig), "qps": _UNLIMITED_QPS, "burst": _UNLIMITED_QPS},
        }
    )


def start_kube_scheduler(kubeconfig: Path, directory: Path, env: Environment, say: Say) -> Component:
    """Start it, built first if need be (minutes, then cached). It works some moments later; stop it with ``stop``."""
    binary = binaries.ensure_scheduler(env, say)
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "kube-scheduler.yaml"
    config.write_text(configuration(kubeconfig))
    argv = [str(binary), f"--config={config}", "--secure-port=0", "--profiling=false"]
    return Component(versions.SCHEDULER, argv, directory / "kube-scheduler.log", directory)
