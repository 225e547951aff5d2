"""/api/v1/image, as documented."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from anka_shim.schema.envelope import Answer, Failed, Succeeded
from anka_shim.schema.start import Flag

EXAMPLE: dict[str, Any] = {
    "id": "ad84c5aa-2b1d-4ff5-72ef-9b519646b212",
    "request": {
        "RequestId": "ad84c5aa-2b1d-4ff5-72ef-9b519646b212",
        "Priority": 1000,
        "Timestamp": 1617720316,
        "ReserveExpiryTimestamp": 0,
        "RegistryAddr": "http://anka.registry:8089",
        "VMID": "bd07b49e-201c-44ad-8103-be39ec1b9a2c",
        "InstanceID": "6f1776ad-3b6d-40b3-4bf9-21fe986bc26d",
        "NodeID": "mac-01",
        "TemplateID": "e2729233-fbca-4e71-82de-511028191e33",
        "NewTemplateName": "",
        "Tag": "test123",
        "Description": "",
        "Suspend": True,
        "Script": "dW5hbWUgLXMK",
        "DoSuspendTest": False,
        "RevertBeforePush": False,
        "RevertTag": "",
        "CancelOnScriptFailure": False,
    },
    "status": "done",
    "error": None,
    "script_result": {"stdout": "Darwin\n", "stderr": "", "errors": None, "did_timeout": False, "return_code": 0},
}


class SaveVm(BaseModel):
    """null and an empty string mean the default. Unknown fields are ignored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "cfc3cafd-d326-459d-7b3b-3c41b1a3efb7",
                    "target_vm_id": "cb1473f2-1f0a-413c-a376-236bfd7d718f",
                    "tag": "my-new-vm-1901",
                    "revert_before_push": True,
                    "revert_tag": "latest-vm-1801",
                },
                {"id": "6f1776ad-3b6d-40b3-4bf9-21fe986bc26d", "new_template_name": "macos-xcode", "tag": "v1"},
            ]
        }
    )

    id: str = Field(description="Id of an instance that is Started.")
    tag: str = Field(max_length=256, description="Tag to make.")
    target_vm_id: str | None = Field(default=None, description="Template that gets the tag, by id or name.")
    new_template_name: str | None = Field(
        default=None, description="Name of a new template instead; ignored beside target_vm_id."
    )
    description: str | None = Field(default=None, description="Description of the tag.")
    suspend: Flag | None = Field(
        default=None, description="Suspend the VM before the push, else stop it; true if absent."
    )
    script: str | None = Field(default=None, description="Script to run in the VM before that, base64.")
    revert_before_push: Flag | None = Field(
        default=None, description="Remove the latest tag of the template, or revert_tag, and all newer ones first."
    )
    revert_tag: str | None = Field(default=None, description="Nothing is reverted if there is no such tag.")
    do_suspend_sanity_test: Flag | None = Field(
        default=None, description="Resume the suspended VM and suspend it again before the push."
    )
    cancel_on_script_failure: Flag | None = Field(
        default=None, description="Save nothing when the script's return code is not 0."
    )


class Asked(Answer):
    request_id: str = Field(examples=["cc55f7dd-5280-4120-461c-9b0ef9b40131"])


class ImageAskedOk(Succeeded):
    body: Asked


class ImageRequest(Answer):
    RequestId: str
    Priority: int
    Timestamp: int = Field(ge=0, description="Seconds since 1970.")
    ReserveExpiryTimestamp: int = Field(ge=0)
    RegistryAddr: str
    VMID: str = Field(description="UUID of the VM on the Mac; empty until the request is taken up, as is NodeID.")
    InstanceID: str
    NodeID: str
    TemplateID: str = Field(description="Empty for a new template.")
    NewTemplateName: str
    Tag: str
    Description: str
    Suspend: bool
    Script: str
    DoSuspendTest: bool
    RevertBeforePush: bool
    RevertTag: str
    CancelOnScriptFailure: bool


class ImageError(Answer):
    Message: str
    Type: str | None = None
    Code: int | None = None


class ImageScript(Answer):
    stdout: str
    stderr: str
    errors: list[str] | None
    did_timeout: bool
    return_code: int


class Image(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    request: ImageRequest
    status: Literal["pending", "done", "error"]
    error: ImageError | None
    script_result: ImageScript | None


class ImageListOk(Succeeded):
    body: list[Image]


class OneImageOk(Succeeded):
    body: Image


ImageAsked = ImageAskedOk | Failed
ImageList = ImageListOk
OneImage = OneImageOk | Failed
