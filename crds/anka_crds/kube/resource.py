"""A kind of object as the API serves it: where it lives and how it is parsed. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote

Key = tuple[str, str]
"""(namespace, name); the namespace of a cluster-scoped object is the empty string."""


class Metadata(Protocol):
    """The part of ObjectMeta that the access layer reads."""

    @property
    def name(self) -> str | None: ...
    @property
    def namespace(self) -> str | None: ...
    @property
    def uid(self) -> str | None: ...
    @property
    def resource_version(self) -> str | None: ...


class KubeModel(Protocol):
    """Any typed object with metadata: our pydantic kinds, `Lease`, `Unstructured`."""

    @property
    def metadata(self) -> Metadata: ...


M = TypeVar("M", bound=KubeModel)


@dataclass(frozen=True)
class Resource(Generic[M]):
    """One kind, typed: `parse` takes the API's JSON, `dump` gives it back.

    `parse` may raise anything for an object it does not understand; the callers here turn that into one clear
    error, or skip the object.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    parse: Callable[[dict[str, Any]], M]
    dump: Callable[[M], dict[str, Any]]

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def label(self) -> str:
        """How messages and metrics call it, as kubectl does: `leases.coordination.k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """URL path. Raises ValueError where the scope forbids it: that is a mistake in the calling code."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if namespace:
            if not self.namespaced:
                raise ValueError(f"{self.label} is cluster-scoped, but namespace {namespace!r} was given")
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        if name is not None:
            if not name:
                raise ValueError(f"empty name for {self.label}")
            if self.namespaced and not namespace:
                raise ValueError(f"{self.label} {name!r} needs a namespace")
            parts.append(quote(name, safe=""))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


def key_of(obj: KubeModel) -> Key:
    return obj.metadata.namespace or "", obj.metadata.name or ""
