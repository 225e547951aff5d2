"""SaveImage: save a running instance to the registry as a tag or as a new template."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from anka_crds.api.defaults import PRIORITY
from anka_crds.api.fields import (
    Base64,
    Description,
    Label,
    ObjectName,
    Priority,
    RegistryUrl,
    Seconds,
    Text,
    at_creation,
    rule,
    validations,
)
from anka_crds.api.meta import ApiModel, Column, KindDefinition, KubeObject, KubeStatus, optional, section
from anka_crds.api.vm_info import ScriptResult


class SaveImageSpec(ApiModel):
    model_config = ConfigDict(
        json_schema_extra=validations(
            rule("self == oldSelf", "a SaveImage can't be changed after creation: create a new object"),
            # The others count at creation only: nothing changes afterwards.
            at_creation(
                rule(
                    "has(self.targetTemplate) != has(self.newTemplateName)",
                    "exactly one of targetTemplate and newTemplateName is needed",
                    fieldPath=".targetTemplate",
                )
            ),
            at_creation(
                rule(
                    "!self.revertBeforePush || has(self.targetTemplate)",
                    "revertBeforePush needs targetTemplate: a new template has nothing to revert",
                    fieldPath=".revertBeforePush",
                )
            ),
            at_creation(
                rule(
                    "!has(self.revertTag) || self.revertBeforePush",
                    "revertTag needs revertBeforePush: true",
                    fieldPath=".revertTag",
                )
            ),
            at_creation(
                rule(
                    "!self.suspendSanityTest || self.suspend",
                    "suspendSanityTest needs suspend: true",
                    fieldPath=".suspendSanityTest",
                )
            ),
            at_creation(
                rule(
                    "!self.cancelOnScriptFailure || has(self.script)",
                    "cancelOnScriptFailure needs script",
                    fieldPath=".cancelOnScriptFailure",
                )
            ),
        )
    )

    instance: ObjectName = Field(description="AnkaInstance to save, in the same namespace.")
    tag: Label = Field(description="Tag to push to the registry.")
    target_template: Label | None = optional(
        "Template that receives the tag: its UUID, or its name in the registry. A displayName does not count."
    )
    new_template_name: Label | None = optional("Name of a new template to create.")
    description: Description = Field(default="", description="Description of the tag.")
    suspend: bool = Field(True, description="Whether the VM is suspended before the push. Otherwise it is stopped.")
    script: Base64 | None = optional("Script to run in the VM before it is stopped or suspended, base64-encoded.")
    revert_before_push: bool = Field(
        default=False,
        description="Whether the latest tag of the target template, or revertTag, is reverted before the push.",
    )
    revert_tag: Label | None = optional("Tag to revert. If it does not exist, nothing is reverted.")
    suspend_sanity_test: bool = Field(
        default=False, description="Whether the suspended VM is resumed as a test before the push."
    )
    cancel_on_script_failure: bool = Field(
        default=False, description="Whether nothing is saved if the script's exit code is not 0."
    )
    registry: RegistryUrl | None = optional(
        "URL of the registry that the VM is pushed to, as its Mac reaches it. Absent: the one that it comes from."
    )
    priority: Priority = Field(default=PRIORITY, description="Priority from 1 to 10000. Lower numbers are more urgent.")
    ttl_seconds_after_finished: Seconds | None = optional(
        "Seconds after which a finished object is deleted. Absent: never."
    )


class SaveImageError(ApiModel):
    message: Text = Field(description="Error message for people.")
    type: Text | None = optional("Type of the error, for programs.")
    code: int | None = optional("Error code of the anka command, if that failed.")


class SaveImageStatus(KubeStatus):
    phase: Literal["Pending", "Done", "Error"] = Field(
        default="Pending", description="Phase of the request: pending, done or error in the legacy API."
    )
    node_name: ObjectName | None = optional("Name of the AnkaNode that pushes the VM.")
    instance_id: Text | None = optional("metadata.uid of the instance. Kept when the instance is gone.")
    vm_uuid: Text | None = optional("UUID of the VM on the Mac.")
    registry: Text | None = optional("URL of the registry that the VM is pushed to.")
    target_template: Text | None = optional(
        "UUID of the template that receives the tag. Absent if only the registry itself knows it."
    )
    pushed_at: datetime | None = optional(
        "Time at which the VM was in the registry. Done follows when the AnkaTemplate shows it."
    )
    requested_at: datetime | None = optional("Time at which a controller accepted the request.")
    reserve_expires_at: datetime | None = optional("Time until which the VM is reserved on the Mac.")
    error: SaveImageError | None = optional("Why the request failed. Absent if it did not.")
    script_result: ScriptResult | None = optional("Result of spec.script. Absent until it has run.")


class SaveImage(KubeObject):
    """A request to save a running instance to the registry."""

    DEFINITION: ClassVar[KindDefinition] = KindDefinition(
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
        first_phase="Pending",
    )

    kind: str = "SaveImage"
    spec: SaveImageSpec = Field(description="Desired state: the instance, and the tag or template to create from it.")
    status: SaveImageStatus = section(SaveImageStatus, "Observed state of the request. Written by controllers only.")

    @property
    def target(self) -> str | None:
        """The template that receives the tag, as exactly as it is known."""
        return self.status.target_template or self.spec.target_template
