"""How this repository uses ``localkube``: names of variables, what is audited, the chart's release."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from anka_crds.api.defaults import SYSTEM_NAMESPACE
from anka_crds.api.meta import GROUP
from anka_dev.repository import CHART
from localkube.controlplane.audit import Audit
from localkube.controlplane.helm import Helm
from localkube.environment import Environment
from localkube.programs import binaries
from localkube.progress import Say

RELEASE = "anka"
NAMESPACE = SYSTEM_NAMESPACE


def environment(variables: Mapping[str, str] = os.environ) -> Environment:
    """ANKA_KUBECONFIG names a cluster, ANKA_CACHE the cache (default ``~/.cache/anka-cloud``), ANKA_HELM helm."""
    return Environment(variables, prefix="ANKA", cache_folder="anka-cloud")


def audit(*namespaces: str) -> Audit:
    """Requests on our objects and on Leases, and all requests by ServiceAccounts of these namespaces."""
    return Audit(groups=[GROUP], namespaces=namespaces)


def chart_release(kubeconfig: Path, directory: Path, say: Say, *, namespace: str = NAMESPACE) -> Helm:
    """Our chart as a release, with files in ``directory``; helm is built first if need be."""
    binary = binaries.ensure_helm(environment(), say)
    return Helm(binary, CHART, kubeconfig, directory, name=RELEASE, namespace=namespace)
