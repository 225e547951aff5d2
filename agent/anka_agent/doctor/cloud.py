"""Checks of what joins this Mac to its cloud: kubeconfig, token, API, clock, rights."""

from __future__ import annotations

import asyncio
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from anka_agent.doctor.finding import Finding, ok, problem
from anka_agent.identity import claims
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import ConfigError, Endpoint, load_endpoint
from anka_crds.kube.errors import ApiError, Unauthorized
from anka_crds.kube.resource import Resource
from anka_crds.kube.unstructured import Meta, Unstructured

SKEW_SECONDS = 60.0
"""Tokens begin and end by the API's clock; half a minute and the Date header's second are harmless."""
GROUP = "anka.veertu.com"


def _review(data: dict[str, Any]) -> Unstructured:
    return Unstructured(Meta(""), data)


REVIEWS = Resource(
    "authorization.k8s.io",
    "v1",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    False,
    _review,
    Unstructured.dump,
)


@dataclass(frozen=True, slots=True)
class Right:
    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        what = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.verb} {what}{f' in {self.namespace}' if self.namespace else ''}"

    def attributes(self) -> dict[str, str]:
        fields = {
            "verb": self.verb, "group": self.group, "resource": self.resource, "namespace": self.namespace,
            "name": self.name, "subresource": self.subresource,
        }  # fmt: skip
        return {key: value for key, value in fields.items() if value}


def needed(node: str, namespace: str, *, renews: bool) -> list[Right]:
    """What the agent of this node does."""
    rights = [
        Right("watch", GROUP, "ankainstances"),
        Right("patch", GROUP, "ankainstances"),
        Right("patch", GROUP, "ankainstances", subresource="status"),
        Right("watch", GROUP, "saveimages"),
        Right("patch", GROUP, "saveimages", subresource="status"),
        Right("watch", GROUP, "templatedistributions"),
        Right("get", GROUP, "ankanodes", name=node),
        Right("patch", GROUP, "ankanodes", name=node, subresource="status"),
        Right("patch", "coordination.k8s.io", "leases", namespace, node),
    ]
    if renews:
        rights.append(Right("create", "", "serviceaccounts", namespace, f"node-{node}", "token"))
    return rights


def token(file: Path, node: str, now: datetime) -> Finding:
    """The token that the agent renews."""
    renew = (
        f"`kubectl create token node-{node} -n anka-nodes --duration 1h` into this file; the agent goes on from there"
    )
    try:
        found = claims.read(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return problem("token", f"{file}: {error}", renew)
    if found.expired(now):
        return problem("token", f"{file} expired at {found.expires:%Y-%m-%d %H:%M} UTC", renew)
    if found.account != f"node-{node}":
        do = f"the agent of {node} needs node-{node}'s: disjoin and join again"
        return problem("token", f"{file} is {found.namespace}/{found.account}'s", do)
    until = f"until {found.expires:%Y-%m-%d %H:%M} UTC" if found.expires else "does not expire"
    return ok("token", f"{found.namespace}/{found.account}, {until}")


def kubeconfig(path: Path | None) -> tuple[Endpoint | None, Finding]:
    try:
        endpoint = load_endpoint(path)
    except ConfigError as error:
        return None, problem("kubeconfig", str(error), "`anka-agent join` writes one")
    return endpoint, ok("kubeconfig", str(path) if path else "of the environment")


async def api(endpoint: Endpoint) -> tuple[float | None, Finding]:
    """Whether it answers, and by how many seconds this Mac's clock is ahead of its."""
    try:
        skew = await asyncio.to_thread(_ahead, endpoint)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        what = "its certificate" if isinstance(reason, ssl.SSLError) else "network, address and firewall"
        return None, problem("API", f"{endpoint.server} does not answer: {reason}", f"look at {what}")
    return skew, ok("API", f"{endpoint.server} answers")


def clock(ahead: float) -> Finding:
    says = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the API's"
    if abs(ahead) > SKEW_SECONDS:
        return problem("clock", says, "set it: `sudo sntp -sS time.apple.com`")
    return ok("clock", says)


def _ahead(endpoint: Endpoint) -> float:
    # The Date of any answer will do, 401 and 403 too.
    request = urllib.request.Request(f"{endpoint.server}/version")  # noqa: S310
    started = time.time()
    try:
        with urllib.request.urlopen(request, timeout=10, context=endpoint.ssl) as answer:  # noqa: S310
            date = answer.headers["Date"]
    except urllib.error.HTTPError as error:
        with error:
            date = error.headers["Date"]
    middle = (started + time.time()) / 2
    # The header has whole seconds, rounded down.
    return middle - (parsedate_to_datetime(date).timestamp() + 0.5)


async def rights(endpoint: Endpoint, wanted: list[Right]) -> Finding:
    missing = []
    try:
        async with KubeClient(endpoint) as client:
            for right in wanted:
                body = {"metadata": {}, "spec": {"resourceAttributes": right.attributes()}}
                answer = await client.create(REVIEWS, body)
                if not answer.raw.get("status", {}).get("allowed"):
                    missing.append(str(right))
    except Unauthorized:
        do = "it expired, or the AnkaNode was deleted and its ServiceAccount with it: disjoin --force and join again"
        return problem("rights", "the API does not accept the token", do)
    except ApiError as error:
        return problem("rights", str(error), "look at the API server")
    if missing:
        return problem("rights", f"may not {', '.join(missing)}", "apply charts/base")
    return ok("rights", f"all {len(wanted)} that the agent needs")
