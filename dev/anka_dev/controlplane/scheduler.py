"""kube-scheduler beside a control plane, as fast as it can: benchmarks compare with it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from anka_dev.controlplane import binaries, versions
from anka_dev.controlplane.cluster import Cluster
from anka_dev.controlplane.process import Component
from anka_dev.controlplane.progress import Say

# Its own defaults (50 and 100) would be what is measured.
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


def start_kube_scheduler(cluster: Cluster, directory: Path, say: Say) -> Component:
    """Built first if need be (minutes, then cached). It works some moments later; stop it with ``stop``."""
    binary = binaries.ensure_scheduler(os.environ, say)
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "kube-scheduler.yaml"
    config.write_text(configuration(cluster.kubeconfig))
    argv = [str(binary), f"--config={config}", "--secure-port=0", "--profiling=false"]
    return Component(versions.SCHEDULER, argv, directory / "kube-scheduler.log", directory)
