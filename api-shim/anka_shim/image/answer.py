"""A SaveImage as the old API shows it (docs/reference/legacy-api.md#save-image-list). Pure."""

from typing import Annotated, Literal

from pydantic import Field

from anka_crds.api.defaults import PRIORITY
from anka_crds.api.save_image import SaveImage
from anka_shim.annotations import INSTANCE_ID
from anka_shim.catalog import Catalog, template_id
from anka_shim.http.answer import Answer, OmissionMarker, make_ok
from anka_shim.times import epoch

ImageStatus = Literal["pending", "done", "error"]
STATUS: dict[str, ImageStatus] = {"Pending": "pending", "Done": "done", "Error": "error"}
"""By the phase of the SaveImage."""


class ImageRequestIdAnswer(Answer):
    request_id: str = Field(examples=["cc55f7dd-5280-4120-461c-9b0ef9b40131"])


class ImageRequestAnswer(Answer):
    RequestId: str
    Priority: int = Field(ge=0, description="0 for the default.")
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


class ImageErrorAnswer(Answer):
    Message: str
    Type: Annotated[str | None, OmissionMarker()] = None
    Code: Annotated[int | None, OmissionMarker()] = None


class ImageScriptAnswer(Answer):
    """Every field, always; `errors` is null if there are none."""

    stdout: str
    stderr: str
    errors: list[str] | None
    did_timeout: bool
    return_code: int


class ImageAnswer(Answer):
    id: str
    request: ImageRequestAnswer
    status: ImageStatus
    error: ImageErrorAnswer | None
    script_result: ImageScriptAnswer | None


ImageAskedOk = make_ok("ImageAskedOk", ImageRequestIdAnswer)
ImageListOk = make_ok("ImageListOk", list[ImageAnswer])
OneImageOk = make_ok("OneImageOk", ImageAnswer)


def image_answer(save: SaveImage, id_: str, instance_id: str, registry: str, ids: Catalog | None = None) -> ImageAnswer:
    """One request. `instance_id`: of the instance, as far as it is known; `registry`: our registry's URL,
    until the operator has recorded which one is pushed to. `ids`: for a request that names its template as people
    do."""
    spec, status = save.spec, save.status
    target = spec.target_template
    error, script = status.error, status.script_result
    return ImageAnswer.model_construct(
        id=id_,
        request=ImageRequestAnswer.model_construct(
            RequestId=id_,
            Priority=0 if spec.priority == PRIORITY else spec.priority,
            Timestamp=epoch(status.requested_at or save.metadata.creation_timestamp),
            ReserveExpiryTimestamp=epoch(status.reserve_expires_at),
            RegistryAddr=status.registry or registry,
            VMID=status.vm_uuid or "",
            # It may have been deleted meanwhile: then the request itself has its id.
            InstanceID=save.metadata.labels.get(INSTANCE_ID) or instance_id,
            NodeID=status.node_name or "",
            TemplateID=(target if ids is None or target is None else template_id(target, ids)) or "",
            NewTemplateName=spec.new_template_name or "",
            Tag=spec.tag,
            Description=spec.description,
            Suspend=spec.suspend,
            Script=spec.script or "",
            DoSuspendTest=spec.suspend_sanity_test,
            RevertBeforePush=spec.revert_before_push,
            RevertTag=spec.revert_tag or "",
            CancelOnScriptFailure=spec.cancel_on_script_failure,
        ),
        status=STATUS[status.phase],
        error=ImageErrorAnswer.model_construct(Message=error.message, Type=error.type, Code=error.code)
        if error
        else None,
        script_result=ImageScriptAnswer.of(script, errors=script.errors or None) if script else None,
    )
