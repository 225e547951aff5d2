"""A kind of object as the API serves it: its path, and how it is parsed. Pure."""

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


def _is_anything(_: KubeModel) -> bool:
    return True


@dataclass(frozen=True)
class Resource(Generic[M]):
    """One kind, typed: `parse` takes the API's JSON, `dump` gives it back.

    `parse` can raise any exception for an object that it cannot read; the callers in this package turn it into
    one clear error, or skip the object. `is_ours`: false for objects that another controller reconciles: no Store has
    them, so that no loop of ours sees them. It must not change in the life of an object. `keeps_status`: whether `dump`
    gives back the whole status that `parse` took, with the fields of a newer version: then it can be written whole.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    parse: Callable[[dict[str, Any]], M]
    dump: Callable[[M], dict[str, Any]]
    is_ours: Callable[[M], bool] = _is_anything
    keeps_status: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def label(self) -> str:
        """Name in messages and metrics, as kubectl has it: `leases.coordination.k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """URL path. Raises ValueError if it does not fit the scope: that is a bug in the calling code."""
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


@dataclass(frozen=True)
class Selection:
    """Which objects of a kind a list or watch is about: all of them, if nothing is given."""

    namespace: str | None = None
    label_selector: str | None = None
    field_selector: str | None = None

    def to_params(self) -> dict[str, str]:
        """Of the URL; the namespace is in its path."""
        params = {"labelSelector": self.label_selector, "fieldSelector": self.field_selector}
        return {key: value for key, value in params.items() if value}


ALL = Selection()


def key_of(obj: KubeModel) -> Key:
    return obj.metadata.namespace or "", obj.metadata.name or ""
