"""Objects of kinds without a model: typed metadata, the rest as the API sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from anka_kube.resource import Resource


@dataclass(frozen=True, slots=True)
class Meta:
    """The part of metav1.ObjectMeta that the access layer itself reads and writes."""

    name: str
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    owner_references: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Meta:
        for key in ("name", "namespace", "uid", "resourceVersion"):
            if not isinstance(data.get(key), str | None):
                raise TypeError(f"metadata.{key} is not a text")
        return cls(
            name=data["name"],
            namespace=data.get("namespace"),
            uid=data.get("uid"),
            resource_version=data.get("resourceVersion"),
            labels=data.get("labels") or {},
            annotations=data.get("annotations") or {},
            owner_references=tuple(data.get("ownerReferences") or ()),
        )

    def dump(self) -> dict[str, Any]:
        """As JSON, without absent fields."""
        full = {
            "name": self.name,
            "namespace": self.namespace,
            "uid": self.uid,
            "resourceVersion": self.resource_version,
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "ownerReferences": [dict(reference) for reference in self.owner_references],
        }
        return {key: value for key, value in full.items() if value}


@dataclass(frozen=True, slots=True)
class Unstructured:
    """An object as the API sent it."""

    metadata: Meta
    raw: dict[str, Any]

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Unstructured:
        return cls(Meta.parse(data["metadata"]), data)

    def dump(self) -> dict[str, Any]:
        return self.raw


def raw_resource(group: str, version: str, plural: str, kind: str, *, namespaced: bool) -> Resource[Unstructured]:
    """A resource without a model, for objects that are only passed on."""
    return Resource(group, version, plural, kind, namespaced, Unstructured.parse, Unstructured.dump, keeps_status=True)


EVENTS = raw_resource("", "v1", "events", "Event", namespaced=True)
"""core/v1 Events, which `kubectl describe` shows under an object."""

SECRETS = raw_resource("", "v1", "secrets", "Secret", namespaced=True)
"""core/v1 Secrets."""

SERVICE_ACCOUNTS = raw_resource("", "v1", "serviceaccounts", "ServiceAccount", namespaced=True)
"""core/v1 ServiceAccounts: the identity of a Mac."""
ROLES = raw_resource("rbac.authorization.k8s.io", "v1", "roles", "Role", namespaced=True)
ROLE_BINDINGS = raw_resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", namespaced=True)

TOKEN_REVIEWS = raw_resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
"""Whose token this is: asked by `KubeClient.review`, stored nowhere."""
ACCESS_REVIEWS = raw_resource(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)
"""Whether somebody may do something: asked likewise."""
