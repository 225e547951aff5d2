"""What all kinds share: the base model, object metadata, conditions, and how the apiserver serves a kind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from anka_crds.api import lenient
from anka_crds.api.conditions import ConditionType, InitialReason

GROUP = "anka.veertu.com"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

READ_REQUEST = f"{GROUP}/read-request"
"""On an AnkaTemplate: someone has changed the template in the registry. The operator reads it and puts the value into
status.readRequest."""
REGISTRY_DELETION = f"{GROUP}/registry-deletion"
"""On an AnkaTemplate: REST has deleted the template in the registry, by a request of its own."""
REQUESTED_BY = f"{GROUP}/requested-by"
"""On what the REST API made for somebody who had logged in: their name. An admission policy lets the shim alone set
it."""
FINALIZER = f"{GROUP}/vm"
"""On every AnkaInstance until its VM is deleted. The agent of its node removes it, or the operator if there is no such
node (never scheduled, node deleted or lost)."""


class ApiModel(BaseModel):
    """camelCase on the wire, snake_case in Python. Unknown fields are ignored: old code survives new fields."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    def to_api(self) -> dict[str, Any]:
        """As JSON for the apiserver. Absent means absent: never a null (Kubernetes API conventions)."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class KeepingModel(ApiModel):
    """Gives back the fields that it does not know: those of a newer version survive in what this one writes whole."""

    model_config = ConfigDict(extra="allow")


class OwnerReference(ApiModel):
    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(ApiModel):
    """The part of metav1.ObjectMeta that we read. Patches leave the rest unchanged."""

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


class Condition(KeepingModel):
    """metav1.Condition, with the meanings of kstatus: Ready, Reconciling and Stalled."""

    type: Annotated[str, Field(max_length=316)] = Field(description="Type of the condition, in CamelCase.")
    status: Literal["True", "False", "Unknown"] = Field(description="One of True, False, Unknown.")
    reason: Annotated[
        str, Field(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    ] = Field(description="Reason of the last transition: one word in CamelCase, for programs.")
    message: Annotated[str, Field(max_length=32768)] = Field(description="Explanation for people.")
    last_transition_time: datetime = Field(description="Time at which the status of this condition last changed.")
    observed_generation: int | None = Field(
        default=None, ge=0, description="metadata.generation that this condition was computed from."
    )


def optional(description: str, **limits: Any) -> Any:
    """A field that can be absent. `limits` as for pydantic's Field."""
    return Field(default=None, description=description, **limits)


def list_field(description: str, max_length: int, *, list_type: str = "atomic", key: str | None = None) -> Any:
    """A list that is empty by default. With `key` it is a map by that field: each writer owns its own entries."""
    keys = {"x-kubernetes-list-map-keys": [key]} if key is not None else {}
    extra: dict[str, Any] = {"x-kubernetes-list-type": "map" if keys else list_type, **keys}
    return Field(default_factory=list, max_length=max_length, description=description, json_schema_extra=extra)


def section(model: type[ApiModel], description: str) -> Any:
    """A `spec` or `status` that may be omitted: its fields have defaults."""
    return Field(default_factory=model, description=description)


class KubeStatus(ApiModel):
    """What the status of every kind has."""

    observed_generation: int | None = optional("metadata.generation that this status was computed from.")
    # A map by type, so that several writers could share it by server-side apply.
    conditions: list[Condition] = list_field("Conditions of the object, with the meanings of kstatus.", 16, key="type")


@dataclass(frozen=True)
class Column:
    """One printer column of ``kubectl get``. Priority 1 is shown with ``-o wide`` only."""

    name: str
    path: str
    type: str = "string"
    description: str = ""
    priority: int = 0


@dataclass(frozen=True)
class KindDefinition:
    """How the apiserver serves a kind. The CRD is generated from this and the model."""

    plural: str
    namespaced: bool
    short_names: tuple[str, ...]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    first_phase: str | None = None

    @property
    def status_default(self) -> dict[str, Any]:
        """Status before a controller has written one: InProgress for kstatus, which takes an empty one for "done"."""
        pending = {
            "type": ConditionType.READY.value,
            "status": "Unknown",
            "reason": InitialReason.PENDING.value,
            "message": "Waiting for the controller",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }
        phase = {"phase": self.first_phase} if self.first_phase else {}
        return {**phase, "observedGeneration": -1, "conditions": [pending]}


class KubeObject(ApiModel):
    """A custom resource. Subclasses set `kind`, add `spec`, and `status` where something is to be reported,
    and declare how they are served."""

    DEFINITION: ClassVar[KindDefinition]

    api_version: str = API_VERSION
    kind: str = ""
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)

    @classmethod
    def from_api(cls, data: dict[str, Any]) -> Self:
        """Parse an object of the apiserver. Accepts unknown fields and exceeded limits (length, range, pattern).

        Raises pydantic.ValidationError for wrong types, missing fields and unknown enumeration values (a phase of a
        newer version): callers skip such an object and log it, they never guess.
        """
        try:
            return cls.model_validate(data)
        except ValidationError:
            return cast(Self, lenient.validator(cls).validate_python(data))

    def to_api(self) -> dict[str, Any]:
        data = super().to_api()
        data["metadata"] = self.metadata.to_api()
        return data
