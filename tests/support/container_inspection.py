"""What a container of the chart sees and may: asked from inside, by Python in place of the chart's own command."""

from __future__ import annotations

import copy
import json
from typing import Any

import yaml

from support.chart import NAMESPACE, ChartInstallation

Json = dict[str, Any]

ASKING = """
import importlib.metadata, json, os, pathlib, socket, sys

def writes(folder):
    try:
        pathlib.Path(folder, "written").touch()
    except OSError as error:
        return error.strerror
    return "written"

def addresses(name):
    try:
        return sorted({found[4][0] for found in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)})
    except OSError as error:
        return error.strerror

status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
print(json.dumps({
    "ids": [os.getuid(), os.getgid(), os.getgroups()],
    "status": {name: status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs")},
    "writes": {folder: writes(folder) for folder in ("/", "/app", "/etc", "/run", "/dev", "/tmp")},
    "account": sorted(os.listdir(account)) if os.path.isdir(account := sys.argv[1]) else None,
    "packages": sorted(found.name for found in importlib.metadata.distributions()),
    "python": sys.executable,
    "directory": os.getcwd(),
    "host": socket.gethostname(),
    "processes": [name for name in os.listdir("/proc") if name.isdigit()],
    "names": {name: addresses(name) for name in sys.argv[2:]},
}))
"""


def inspect(installation: ChartInstallation, spec: Json, name: str, *names: str) -> Json:
    """A pod of this spec says what it sees, and looks up ``names``; it is deleted afterwards."""
    spec = copy.deepcopy(spec) | {"restartPolicy": "Never"}
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    spec["containers"][0] |= {"command": ["python", "-c"], "args": [ASKING, account, *names]}
    for probe in ("livenessProbe", "readinessProbe"):
        spec["containers"][0].pop(probe, None)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}
    installation.cloud.kubectl.run("create", "--filename=-", stdin=json.dumps(pod))
    ended = ("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", f"--namespace={NAMESPACE}")
    installation.cloud.kubectl.run(*ended, "--timeout=60s")
    [life] = installation.pods.workers(name)
    found: Json = json.loads(life.log.read_text())
    installation.cloud.kubectl.run("delete", "pod", name, f"--namespace={NAMESPACE}")
    return found


def pod_specs(installation: ChartInstallation) -> dict[str, Json]:
    """Of the chart's pods, by the name of their Deployment, or their own."""
    items = [item for item in yaml.safe_load_all(installation.helm.template(installation.values)) if item]
    return {
        item["metadata"]["name"]: item["spec"] if item["kind"] == "Pod" else item["spec"]["template"]["spec"]
        for item in items
        if item["kind"] in ("Deployment", "Pod")
    }
