"""kube-scheduler beside a control plane."""

from __future__ import annotations

import json
from pathlib import Path

from localkube.controlplane.scheduler import configuration


def test_kube_scheduler_runs_without_limits_of_its_own() -> None:
    config = json.loads(configuration(Path("/k")))
    assert config["clientConnection"] == {"kubeconfig": "/k", "qps": 100_000, "burst": 100_000}
    assert config["leaderElection"] == {"leaderElect": False}
