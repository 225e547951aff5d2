"""Reads a pod's manifest: environment, command, mounts, probes. Pure; manifests are plain dictionaries of the API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_]*)\)")

TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"

Data = Callable[[str, str], Mapping[str, str]]
"""The data of a ``configMap`` or ``secret`` by its name, in the pod's namespace, as text."""


def expand(text: str, env: Mapping[str, str]) -> str:
    """``$(NAME)`` as Kubernetes does it: unknown names stay as they are, ``$$`` is a dollar sign."""
    return _REFERENCE.sub(lambda found: "$" if found[0] == "$$" else env.get(found[1], found[0]), text)


def fields(pod: Mapping[str, Any], address: str) -> dict[str, str]:
    """The values of the fields that a ``fieldRef`` of this pod may name."""
    metadata = pod["metadata"]
    keyed = {
        f"metadata.{kind}['{key}']": value
        for kind in ("labels", "annotations")
        for key, value in metadata.get(kind, {}).items()
    }
    return {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default"),
        "status.podIP": address,
        **keyed,
    }


def environment(container: Mapping[str, Any], known: Mapping[str, str], data: Data) -> dict[str, str]:
    """The container's variables; ``known`` are the values of field references. ValueError for an unknown source."""
    env: dict[str, str] = {}
    for item in container.get("env", []):
        source = item.get("valueFrom", {})
        if not source:
            env[item["name"]] = expand(item.get("value", ""), env)
        elif (path := source.get("fieldRef", {}).get("fieldPath")) in known:
            env[item["name"]] = known[path]
        elif key := source.get("configMapKeyRef") or source.get("secretKeyRef"):
            found = data("configMap" if "configMapKeyRef" in source else "secret", key["name"])
            if key["key"] in found:
                env[item["name"]] = found[key["key"]]
            elif not key.get("optional"):
                raise ValueError(f"environment variable {item['name']}: {key['name']} has no key {key['key']}")
        else:
            raise ValueError(f"environment variable {item['name']}: {source} is not supported here")
    return env


def command(container: Mapping[str, Any], env: Mapping[str, str]) -> list[str]:
    """The container's command line. ValueError when only the image has one."""
    if not container.get("command"):
        raise ValueError(f"container {container['name']} has no command, and there is no image to take it from")
    return [expand(word, env) for word in [*container["command"], *container.get("args", [])]]


def mounts(container: Mapping[str, Any]) -> dict[str, str]:
    """Volume names by mount path, longest first: `/a/b` is searched before `/a`."""
    found = {item["mountPath"]: item["name"] for item in container.get("volumeMounts", [])}
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def relocate(text: str, places: Mapping[str, str]) -> str:
    """Replace each path at or below one of ``places`` (longest first) by its place on this machine."""
    if not places:
        return text
    either = "|".join(re.escape(path) for path in places)
    return re.sub(rf"(?<![\w/.-])({either})(?![\w.-])", lambda found: places[found[1]], text)


@dataclass(frozen=True)
class HttpProbe:
    """An HTTP probe, times in seconds."""

    port: int
    path: str
    period: float
    timeout: float
    failures: int
    scheme: str = "http"


def probe(container: Mapping[str, Any], kind: str) -> HttpProbe | None:
    """The ``livenessProbe`` or ``readinessProbe``. ValueError for one that is not HTTP, or names an unknown port."""
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
    return HttpProbe(
        port=port,
        path=given["httpGet"].get("path", "/"),
        period=given.get("periodSeconds", 10),
        timeout=given.get("timeoutSeconds", 1),
        failures=given.get("failureThreshold", 3),
        scheme=given["httpGet"].get("scheme", "HTTP").lower(),
    )


def status(container: Mapping[str, Any], *, phase: str, ready: bool, restarts: int, state: Mapping[str, Any],
           address: str, host: str, now: str) -> dict[str, Any]:  # fmt: skip
    """The status of a pod with this one container; ``now`` is the time of the change."""
    word = "True" if ready else "False"
    why = {} if ready else {"reason": "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"}
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
