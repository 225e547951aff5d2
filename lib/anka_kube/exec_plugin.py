"""Credential plugins of kubeconfigs (client.authentication.k8s.io): a command that prints an ExecCredential.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from anka_runtime import programs

SECONDS = 60.0
"""Longest time that a plugin may take."""
EXTENSION = "client.authentication.k8s.io/exec"


@dataclass(frozen=True)
class ExecCredential:
    """What a plugin printed: a token, a client certificate with its key (PEM), or both."""

    token: str | None
    certificate: str | None
    key: str | None
    expires: datetime | None


def run(settings: Mapping[str, Any], cluster: Mapping[str, Any], folder: Path) -> ExecCredential:
    """Run the plugin of a kubeconfig user in `folder`. Blocking; raises OSError and ValueError, in one line.

    It gets no terminal: our processes are not interactive.
    """
    done = programs.run(
        [str(settings["command"]), *map(str, settings.get("args") or ())],
        seconds=SECONDS,
        env={**os.environ, **_environment(settings, cluster)},
        cwd=folder,
    )
    if done.returncode:
        words = " ".join(done.stderr.decode("utf-8", "replace").split())[:500]
        raise ValueError(f"it ended with exit code {done.returncode}: {words}")
    try:
        answer = json.loads(done.stdout)
        status = dict(answer["status"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("it printed no ExecCredential") from error
    if answer.get("apiVersion") != settings["apiVersion"]:
        raise ValueError(f"it speaks {answer.get('apiVersion')}, not {settings['apiVersion']}")
    token, certificate, key = (status.get(name) for name in ("token", "clientCertificateData", "clientKeyData"))
    if not token and not (certificate and key):
        raise ValueError("it printed neither a token nor a certificate with its key")
    expires = status.get("expirationTimestamp")
    return ExecCredential(token, certificate, key, datetime.fromisoformat(expires) if expires else None)


def _environment(settings: Mapping[str, Any], cluster: Mapping[str, Any]) -> dict[str, str]:
    spec: dict[str, Any] = {"interactive": False}
    if settings.get("provideClusterInfo"):
        own = [one["extension"] for one in cluster.get("extensions") or () if one["name"] == EXTENSION]
        spec["cluster"] = {**cluster, **({"config": own[0]} if own else {})}
    info = {"apiVersion": settings["apiVersion"], "kind": "ExecCredential", "spec": spec}
    extra = {str(one["name"]): str(one["value"]) for one in settings.get("env") or ()}
    return {**extra, "KUBERNETES_EXEC_INFO": json.dumps(info)}
