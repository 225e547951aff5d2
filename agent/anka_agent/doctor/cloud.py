"""Checks of the link between this Mac and its cloud: kubeconfig, token, API, clock, rights."""

import asyncio
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from anka_agent.doctor.finding import Finding, ok, problem
from anka_agent.identity.tokens import read_claims
from anka_crds.api.defaults import NODE_NAMESPACE
from anka_crds.rules.clock import describe_skew, is_skewed
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.endpoint import ConfigError, Endpoint
from anka_kube.errors import ApiError, Unauthorized
from anka_kube.resource import Resource
from anka_kube.unstructured import Meta, Unstructured
from anka_runtime.files import read_text

GROUP = "anka.veertu.com"


_REVIEW = ("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview")
# The answer has no metadata.name.
REVIEWS = Resource(*_REVIEW, False, lambda data: Unstructured(Meta(""), data), Unstructured.dump)


@dataclass(frozen=True, slots=True)
class RequiredRight:
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
        return {key: value for key, value in asdict(self).items() if value}


def list_rights(node: str, namespace: str, *, renews: bool) -> list[RequiredRight]:
    """The rights that the agent of this node uses."""
    rights = [
        RequiredRight("watch", GROUP, "ankainstances"),
        RequiredRight("patch", GROUP, "ankainstances"),
        RequiredRight("update", GROUP, "ankainstances", subresource="status"),
        RequiredRight("watch", GROUP, "saveimages"),
        RequiredRight("patch", GROUP, "saveimages", subresource="status"),
        RequiredRight("watch", GROUP, "templatedistributions"),
        RequiredRight("get", GROUP, "ankanodes", name=node),
        RequiredRight("patch", GROUP, "ankanodes", name=node, subresource="status"),
        RequiredRight("get", "coordination.k8s.io", "leases", namespace, node),
        RequiredRight("patch", "coordination.k8s.io", "leases", namespace, node),
    ]
    if renews:
        rights.append(RequiredRight("create", "", "serviceaccounts", namespace, f"node-{node}", "token"))
    return rights


def check_token(file: Path, node: str, now: datetime) -> Finding:
    """The token that the agent renews."""
    renew = (
        f"`kubectl create token node-{node} -n {NODE_NAMESPACE} --duration 1h` into this file; "
        "the agent goes on from there"
    )
    try:
        found = read_claims(read_text(file))
    except (OSError, ValueError) as error:
        return problem("token", f"{file}: {error}", renew)
    if found.is_expired(now):
        return problem("token", f"{file} expired at {found.expires:%Y-%m-%d %H:%M} UTC", renew)
    if found.account != f"node-{node}":
        do = f"the agent of {node} needs node-{node}'s: disjoin and join again"
        return problem("token", f"{file} is {found.namespace}/{found.account}'s", do)
    until = f"until {found.expires:%Y-%m-%d %H:%M} UTC" if found.expires else "does not expire"
    return ok("token", f"{found.namespace}/{found.account}, {until}")


def check_kubeconfig(path: Path | None) -> tuple[Endpoint | None, Finding]:
    try:
        endpoint = load_endpoint(path)
    except ConfigError as error:
        return None, problem("kubeconfig", str(error), "`anka-agent join` writes one")
    return endpoint, ok("kubeconfig", str(path) if path else "of the environment")


async def check_api(endpoint: Endpoint) -> tuple[float | None, Finding]:
    """Whether the API answers, and by how many seconds this Mac's clock is ahead of the API's."""
    try:
        skew = await asyncio.to_thread(_ahead, endpoint)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        what = "its certificate" if isinstance(reason, ssl.SSLError) else "network, address and firewall"
        return None, problem("API", f"{endpoint.server} does not answer: {reason}", f"look at {what}")
    return skew, ok("API", f"{endpoint.server} answers")


def check_clock(ahead: float) -> Finding:
    says = describe_skew(ahead)
    if is_skewed(ahead):
        do = "set it: `sudo sntp -sS time.apple.com`; until then this Mac gets no new work"
        return problem("clock", says, do)
    return ok("clock", says)


def _ahead(endpoint: Endpoint) -> float:
    # Any answer has a Date, 401 and 403 too.
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


async def check_rights(endpoint: Endpoint, wanted: list[RequiredRight]) -> Finding:
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
