"""What all kinds have in common: the model base, object metadata, conditions, and how a kind is served."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from anka_crds.api import lenient

GROUP = "anka.veertu.com"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

FINALIZER = f"{GROUP}/vm"
"""Held by every AnkaInstance until its VM is gone: removed by the agent of its node, or by the operator when
there is no such node (never scheduled, node deleted or lost)."""


class ApiModel(BaseModel):
    """camelCase on the wire, snake_case in Python. Unknown fields are ignored: old code survives new fields."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    def to_api(self) -> dict[str, Any]:
        """As JSON for the apiserver. Absent means absent: never a null (Kubernetes API conventions)."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class OwnerReference(ApiModel):
    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(ApiModel):
    """The part of metav1.ObjectMeta that we read. The rest is left alone: we patch, we never replace."""

    name: str = ""
    generate_name: str | None = None
    namespace: str | None = None
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: list[str] = Field(default_factory=list)
    owner_references: list[OwnerReference] = Field(default_factory=list)

    def to_api(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


class Condition(ApiModel):
    """metav1.Condition. Meaning follows kstatus: Ready, Reconciling and Stalled."""

    type: Annotated[str, Field(max_length=316)] = Field(description="Type of the condition, in CamelCase.")
    status: Literal["True", "False", "Unknown"] = Field(description="One of True, False, Unknown.")
    reason: Annotated[
        str, Field(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    ] = Field(description="Why the condition last changed: one word in CamelCase, for programs.")
    message: Annotated[str, Field(max_length=32768)] = Field(description="Why, in words for people.")
    last_transition_time: datetime = Field(description="When the status of this condition last changed.")
    observed_generation: int | None = Field(
        default=None, ge=0, description="metadata.generation that this condition was computed from."
    )


def conditions_field() -> Any:
    """`status.conditions`: a map by type, so that several writers could share it by server-side apply."""
    return Field(
        default_factory=list,
        max_length=16,
        description="Conditions of the object; kstatus meanings, so that kubectl wait, Helm, Flux and Argo CD work.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )


def observed_generation_field() -> Any:
    return Field(default=None, description="metadata.generation that this status was computed from.")


PENDING_CONDITION: dict[str, Any] = {
    "type": "Ready",
    "status": "Unknown",
    "reason": "Pending",
    "message": "Waiting for the controller",
    "lastTransitionTime": "1970-01-01T00:00:00Z",
}


PENDING_STATUS: dict[str, Any] = {"observedGeneration": -1, "conditions": [PENDING_CONDITION]}
"""Status of any object before a controller wrote one: kstatus says InProgress."""


@dataclass(frozen=True)
class Column:
    """One printer column of ``kubectl get``. Priority 1 shows with ``-o wide`` only."""

    name: str
    path: str
    type: str = "string"
    description: str = ""
    priority: int = 0


@dataclass(frozen=True)
class Served:
    """How the apiserver serves a kind; from this and the model the CRD is generated."""

    plural: str
    namespaced: bool
    short_names: tuple[str, ...]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    status_default: dict[str, Any] = field(default_factory=lambda: PENDING_STATUS)
    """What a reader sees before any controller wrote: kstatus takes an empty status for "done"."""


class KubeObject(ApiModel):
    """A custom resource. Subclasses name their `kind`, add `spec` and `status`, and say how they are served."""

    SERVED: ClassVar[Served]

    api_version: str = API_VERSION
    kind: str = ""
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)

    @classmethod
    def from_api(cls, data: dict[str, Any]) -> Self:
        """Parse an object of the apiserver. Unknown fields and broken limits (length, range, pattern) are let pass.

        Raises pydantic.ValidationError for wrong types, missing fields and unknown words (a phase of a newer
        version): skip such an object and say so, never guess.
        """
        try:
            return cls.model_validate(data)
        except ValidationError:
            return cast(Self, lenient.validator(cls).validate_python(data))

    def to_api(self) -> dict[str, Any]:
        data = super().to_api()
        data["metadata"] = self.metadata.to_api()
        return data
