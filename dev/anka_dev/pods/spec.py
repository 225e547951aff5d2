"""What a pod's manifest says about its process. Pure; manifests are plain dictionaries as the API has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"


def expand(text: str, env: Mapping[str, str]) -> str:
    """``$(NAME)`` as Kubernetes does it: unknown names stay as they are, ``$$`` is a dollar sign."""
    return _REFERENCE.sub(lambda found: "$" if found[0] == "$$" else env.get(found[1], found[0]), text)


def environment(container: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, str]:
    """Its variables; ``fields`` are the values of field references. ValueError for a source that is not known here."""
    env: dict[str, str] = {}
    for item in container.get("env", []):
        source = item.get("valueFrom", {})
        if not source:
            env[item["name"]] = expand(item.get("value", ""), env)
        elif (path := source.get("fieldRef", {}).get("fieldPath")) in fields:
            env[item["name"]] = fields[path]
        else:
            raise ValueError(f"environment variable {item['name']}: {source} cannot be had here")
    return env


def command(container: Mapping[str, Any], env: Mapping[str, str]) -> list[str]:
    """Its command line. ValueError when the image would have to say what runs."""
    if not container.get("command"):
        raise ValueError(f"container {container['name']} has no command, and there is no image to take it from")
    return [expand(word, env) for word in [*container["command"], *container.get("args", [])]]


def token_volume(container: Mapping[str, Any]) -> str | None:
    """The volume at which the ServiceAccount's token is mounted; None when there is none."""
    return next(
        (mount["name"] for mount in container.get("volumeMounts", []) if mount["mountPath"] == TOKEN_FOLDER), None
    )


@dataclass(frozen=True)
class Probe:
    """An HTTP probe, times in seconds."""

    port: int
    path: str
    period: float
    timeout: float
    failures: int


def probe(container: Mapping[str, Any], kind: str) -> Probe | None:
    """Its ``livenessProbe`` or ``readinessProbe``. ValueError for one that is not HTTP, or names an unknown port."""
    given = container.get(kind)
    if given is None:
        return None
    if "httpGet" not in given:
        raise ValueError(f"container {container['name']}: {kind} is not an httpGet")
    port = given["httpGet"]["port"]
    if isinstance(port, str):
        named = {item.get("name"): item["containerPort"] for item in container.get("ports", [])}
        if port not in named:
            raise ValueError(f"container {container['name']}: {kind} names port {port}, which is not among its ports")
        port = named[port]
    return Probe(
        port=port,
        path=given["httpGet"].get("path", "/"),
        period=given.get("periodSeconds", 10),
        timeout=given.get("timeoutSeconds", 1),
        failures=given.get("failureThreshold", 3),
    )


def status(container: Mapping[str, Any], *, phase: str, ready: bool, restarts: int, state: Mapping[str, Any],
           address: str, host: str, now: str, reason: str = "") -> dict[str, Any]:  # fmt: skip
    """The status of a pod with this one container, ``now`` being when it changed."""
    word = "True" if ready else "False"
    why = {"reason": reason} if reason and not ready else {}
    return {
        "phase": phase,
        "hostIP": host,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [
            {"type": "Initialized", "status": "True", "lastTransitionTime": now},
            {"type": "ContainersReady", "status": word, "lastTransitionTime": now, **why},
            {"type": "Ready", "status": word, "lastTransitionTime": now, **why},
        ],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": ready,
                "started": "running" in state,
                "restartCount": restarts,
                "state": dict(state),
            }
        ],
    }
