"""kwok beside a control plane, as the kubelets of nodes that do not exist: for comparison in benchmarks.

It is one process with one watch of all Pods that have a node, where kubelets are one process and one watch each.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from localkube.controlplane.process import Component
from localkube.environment import Environment
from localkube.programs import binaries, versions
from localkube.progress import Say

_Json = dict[str, Any]
# Kubelets do not wait for each other; with kwok's default of 4 the Pods of some nodes would wait for those of others.
_PARALLEL = 16

# As kwok's own stages `node-initialize` and `pod-ready` have them, without what plain Pods do not have.
_NODE_STATUS = """\
{{ $now := Now }}
addresses:
- address: {{ NodeIP | Quote }}
  type: InternalIP
- address: {{ .metadata.name | Quote }}
  type: Hostname
conditions:
{{ range NodeConditions }}
- lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
  message: {{ .message | Quote }}
  reason: {{ .reason | Quote }}
  status: {{ .status | Quote }}
  type: {{ .type  | Quote }}
{{ end }}
"""
_POD_STATUS = """\
{{ $now := Now }}
conditions:
- lastTransitionTime: {{ $now | Quote }}
  status: "True"
  type: Initialized
- lastTransitionTime: {{ $now | Quote }}
  status: "True"
  type: Ready
- lastTransitionTime: {{ $now | Quote }}
  status: "True"
  type: ContainersReady
containerStatuses:
{{ range .spec.containers }}
- image: {{ .image | Quote }}
  name: {{ .name | Quote }}
  ready: true
  restartCount: 0
  state:
    running:
      startedAt: {{ $now | Quote }}
{{ end }}
{{ $hostIP := index (NodeIPsWith .spec.nodeName) 0 }}
hostIP: {{ $hostIP | Quote }}
hostIPs:
- ip: {{ $hostIP | Quote }}
{{ $podIP := index (PodIPsWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace) 0 }}
podIP: {{ $podIP | Quote }}
podIPs:
- ip: {{ $podIP | Quote }}
phase: Running
startTime: {{ $now | Quote }}
"""
_NOT_READY = {
    "key": '.status.conditions.[] | select( .type == "Ready" ) | .status',
    "operator": "NotIn",
    "values": ["True"],
}


def configuration(start_seconds: float) -> str:
    """YAML documents for kwok: every node becomes Ready and renews its Lease, and every Pod that has a node is Running
    after a random time, uniformly between 0 and `start_seconds`. Pure."""
    options = {
        # Addresses that nothing has: only for the objects to be as large as real ones.
        "nodeIP": "10.64.0.1",
        "cidr": "10.65.0.0/16",
        "manageAllNodes": True,
        "podPlayStageParallelism": _PARALLEL,
        "nodePlayStageParallelism": _PARALLEL,
        "nodeLeaseParallelism": _PARALLEL,
        "nodeLeaseDurationSeconds": 40,
    }
    jitter = {"durationMilliseconds": 0, "jitterDurationMilliseconds": round(start_seconds * 1000)}
    pending = {"key": ".status.phase", "operator": "In", "values": ["Pending"]}
    documents = (
        {"apiVersion": "config.kwok.x-k8s.io/v1alpha1", "kind": "KwokConfiguration", "options": options},
        _stage("node-ready", "Node", _NOT_READY, _NODE_STATUS),
        _stage("pod-running", "Pod", pending, _POD_STATUS, delay=jitter),
    )
    return "---\n".join(f"{json.dumps(document)}\n" for document in documents)


def _stage(name: str, kind: str, requirement: _Json, status: str, **more: _Json) -> _Json:
    spec = {
        "resourceRef": {"apiGroup": "v1", "kind": kind},
        "selector": {"matchExpressions": [requirement]},
        "next": {"statusTemplate": status},
        **more,
    }
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name}, "spec": spec}


def start_kwok(kubeconfig: Path, directory: Path, env: Environment, say: Say, *, start_seconds: float) -> Component:
    """Start it, built first if need be (minutes, then cached). It works some moments later; stop it with ``stop``."""
    binary = binaries.ensure_kwok(env, say)
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "kwok.yaml"
    config.write_text(configuration(start_seconds))
    argv = [str(binary), f"--config={config}", f"--kubeconfig={kubeconfig}"]
    return Component(versions.KWOK, argv, directory / "kwok.log", directory)
