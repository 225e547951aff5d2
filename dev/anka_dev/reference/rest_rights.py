"""docs/reference/rest-rights.md: the right of each route, and what it is in Kubernetes."""

from __future__ import annotations

from anka_dev.reference.page import Page, code, table
from anka_shim.access.kubernetes.verbs import VERBS
from anka_shim.http.rights import RIGHTS, Right

INTRODUCTION = (
    "What each request to the REST API needs, where authentication is on: a right, by the old controller's ids. Who "
    "logs in with a [token of the cluster](../operate/access.md#kubernetes-tokens) has a right if Kubernetes' RBAC "
    "grants them all of the last column, on resources of `anka.veertu.com`: cluster-wide, except where a namespace is "
    "said. Other credentials never need that."
)
FREE = {Right.NONE: "nothing", Right.PEER: "another replica of the shim", Right.LOGIN: "any credentials"}


def page() -> Page:
    rows = [(code(route), _shown(right), _needs(right)) for route, right in RIGHTS.items()]
    return Page("Rights of the REST API", [INTRODUCTION, table(("request", "right", "in Kubernetes"), rows)])


def _shown(right: Right) -> str:
    return FREE.get(right) or code(right.value)


def _needs(right: Right) -> str:
    local = " in the namespace of `--namespace`"
    return ", ".join(f"{code(need)}{local if need.is_local else ''}" for need in VERBS.get(right, ()))
