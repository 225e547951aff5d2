"""SaveImage: save a running instance to the registry as a tag or as a new template."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from anka_crds.api.fields import Base64, Label, ObjectName, Text, rule, validations
from anka_crds.api.meta import (
    PENDING_STATUS,
    ApiModel,
    Column,
    Condition,
    KubeObject,
    Served,
    conditions_field,
    observed_generation_field,
)
from anka_crds.api.vm_info import ScriptResult


class SaveImageSpec(ApiModel):
    model_config = ConfigDict(
        json_schema_extra=validations(
            rule("self == oldSelf", "a SaveImage can't be changed after creation: create a new object"),
            rule(
                "has(self.targetTemplate) != has(self.newTemplateName)",
                "exactly one of targetTemplate and newTemplateName is needed",
                fieldPath=".targetTemplate",
            ),
            rule(
                "!self.revertBeforePush || has(self.targetTemplate)",
                "revertBeforePush needs targetTemplate: a new template has nothing to revert",
                fieldPath=".revertBeforePush",
            ),
            rule(
                "!has(self.revertTag) || self.revertBeforePush",
                "revertTag needs revertBeforePush: true",
                fieldPath=".revertTag",
            ),
            rule(
                "!self.suspendSanityTest || self.suspend",
                "suspendSanityTest needs suspend: true",
                fieldPath=".suspendSanityTest",
            ),
            rule(
                "!self.cancelOnScriptFailure || has(self.script)",
                "cancelOnScriptFailure needs script",
                fieldPath=".cancelOnScriptFailure",
            ),
        )
    )

    instance: ObjectName = Field(description="AnkaInstance in the same namespace to save.")
    tag: Label = Field(description="Tag to push to the registry.")
    target_template: Label | None = Field(default=None, description="Template that gets the tag.")
    new_template_name: Label | None = Field(default=None, description="Name of a new template to make.")
    description: Text = Field(default="", description="What people will read about the tag.")
    suspend: bool = Field(default=True, description="Suspend the VM before the push; otherwise it is stopped.")
    script: Base64 | None = Field(
        default=None,
        description="Script run in the VM before it is stopped or suspended, in base64.",
    )
    revert_before_push: bool = Field(
        default=False,
        description="Revert the latest tag of the target template, or revertTag, before the push.",
    )
    revert_tag: Label | None = Field(
        default=None, description="Tag to revert; nothing is reverted if there is none such."
    )
    suspend_sanity_test: bool = Field(default=False, description="Try to resume the suspended VM before the push.")
    cancel_on_script_failure: bool = Field(
        default=False, description="Save nothing when the script's exit code is not 0."
    )
    priority: int = Field(default=1000, ge=1, le=10000, description="Urgency, 1-10000: the lower, the more urgent.")
    ttl_seconds_after_finished: int | None = Field(
        default=None, ge=0, le=31_536_000, description="Delete the object this long after it finished."
    )


class SaveImageError(ApiModel):
    message: Text = Field(description="What went wrong, in words for people.")
    type: Text | None = Field(default=None, description="Kind of the error, for programs.")
    code: int | None = Field(default=None, description="Code of the anka command, if it failed.")


class SaveImageStatus(ApiModel):
    observed_generation: int | None = observed_generation_field()
    phase: Literal["Pending", "Done", "Error"] = Field(
        default="Pending",
        description="Where the request is: pending, done or error in the old controller's words.",
    )
    node_name: ObjectName | None = Field(default=None, description="Name of the AnkaNode that pushes.")
    vm_uuid: Text | None = Field(default=None, description="UUID of the VM on the Mac.")
    registry: Text | None = Field(default=None, description="URL of the registry that is pushed to.")
    requested_at: datetime | None = Field(default=None, description="When the request was taken up.")
    reserve_expires_at: datetime | None = Field(default=None, description="Until when the Mac has reserved it.")
    error: SaveImageError | None = Field(default=None, description="Why the request failed; absent if it did not.")
    script_result: ScriptResult | None = Field(default=None, description="Result of spec.script, once it has run.")
    conditions: list[Condition] = conditions_field()


class SaveImage(KubeObject):
    """A request to save a running instance to the registry."""

    SERVED: ClassVar[Served] = Served(
        plural="saveimages",
        namespaced=True,
        short_names=("ankas",),
        columns=(
            Column("Instance", ".spec.instance"),
            Column("Tag", ".spec.tag"),
            Column("Phase", ".status.phase"),
            Column("Node", ".status.nodeName"),
            Column("Age", ".metadata.creationTimestamp", "date"),
            Column("Reason", ".status.error.message", priority=1),
        ),
        selectable=(".status.nodeName",),
        status_default={"phase": "Pending", **PENDING_STATUS},
    )

    kind: str = "SaveImage"
    spec: SaveImageSpec = Field(description="What is wanted: the instance, and the tag or template to make of it.")
    status: SaveImageStatus = Field(
        default_factory=SaveImageStatus, description="What is seen of the request. Written by controllers only."
    )
