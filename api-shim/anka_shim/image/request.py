"""The request to save an instance as an image: `POST /api/v1/image` as a SaveImage. Pure.

Source: docs/reference/legacy-api.md#save-image and docs/reference/legacy-api.md#jenkins.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from anka_crds.api.defaults import REST_REQUEST_TTL_SECONDS
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.limits import MAX_BASE64
from anka_crds.api.save_image import SaveImage, SaveImageSpec
from anka_crds.api.states import Phase
from anka_shim.annotations import CREATED_BY, INSTANCE_ID, PERMISSION_GROUP
from anka_shim.failure import Failure
from anka_shim.http.parameter_types import Description, Flag, Name, Text, max_base64
from anka_shim.http.request import RequestModel, option, to_object

SAVEABLE = Phase.STARTED


class SaveVm(RequestModel, json_schema_extra={"required": ["id", "tag"]}):
    """null and an empty string mean the default. Unknown fields are ignored."""

    id: Text = option("Id of an instance that is Started.")
    instance_id: Text = option("Another spelling of id.")
    tag: Name = option("Tag to make.")
    target_vm_id: Text = option("Template that gets the tag, by id or name.")
    new_template_name: Name = option("Name of a new template instead; ignored beside target_vm_id.")
    suspend: Flag = option("Suspend the VM before the push, else stop it; true if absent.")
    revert_before_push: Flag = option("Remove the latest tag of the template, or revert_tag, and all newer ones first.")
    revert_tag: Name = option("Nothing is reverted if there is no such tag.")
    script: Annotated[str | None, max_base64(MAX_BASE64)] = option("Script to run in the VM before that, base64.")
    description: Description = option("Description of the tag.")
    do_suspend_sanity_test: Flag = option("Resume the suspended VM and suspend it again before the push.")
    cancel_on_script_failure: Flag = option("Save nothing when the script's return code is not 0.")


def check_complete(request: SaveVm) -> None:
    """Raises Failure if it does not say where the image goes."""
    if request.tag is None:
        raise Failure("tag: is required, the name of the tag to make")
    if request.target_vm_id is None and request.new_template_name is None:
        raise Failure("target_vm_id or new_template_name: one of them is required")


def save_spec(request: SaveVm, instance: str, target: str | None, *, registry: str | None = None) -> SaveImageSpec:
    """`instance`: name of its object; `target`: the template's; `registry`: where to push, if not where the VM comes
    from. Parameters without effect are left out, as clients send
    them anyway: `new_template_name` beside `target_vm_id`, a revert without a template, a `revert_tag` without a
    revert, a test of a VM that is stopped."""
    suspend = request.suspend is not False
    revert = target is not None and request.revert_before_push is True
    script = request.script or None
    return SaveImageSpec(
        instance=instance,
        tag=request.tag or "",
        target_template=target,
        new_template_name=request.new_template_name if target is None else None,
        description=request.description or "",
        suspend=suspend,
        script=script,
        revert_before_push=revert,
        revert_tag=request.revert_tag if revert else None,
        suspend_sanity_test=request.do_suspend_sanity_test is True and suspend,
        cancel_on_script_failure=request.cancel_on_script_failure is True and script is not None,
        registry=registry,
        ttl_seconds_after_finished=REST_REQUEST_TTL_SECONDS,
    )


def save_manifest(name: str, instance: AnkaInstance, instance_id: str, spec: SaveImageSpec) -> dict[str, Any]:
    """The object to create. `name` is a new UUID. The instance's own id and permission group are kept: it may be gone
    when a client asks for it."""
    labels = {**CREATED_BY, INSTANCE_ID: instance_id}
    owner = instance.spec.permission_group
    annotations = {"annotations": {PERMISSION_GROUP: owner}} if owner is not None else {}
    metadata = {"name": name, "namespace": instance.metadata.namespace, "labels": labels, **annotations}
    return to_object("SaveImage", metadata, spec)


def find_repeated(spec: SaveImageSpec, pending: Mapping[str, SaveImage]) -> str | None:
    """`pending`: the requests for this instance that have not ended, by id. The id of the one that asks for the same: a
    client that never saw our answer repeats its request. None without any. Raises Failure for another one."""
    for id_, save in pending.items():
        # One made with kubectl may be kept for a different time, and still want the same image.
        if save.spec.model_copy(update={"ttl_seconds_after_finished": spec.ttl_seconds_after_finished}) == spec:
            return id_
        raise Failure(f"the VM is being saved already, as request {id_}")
    return None


def not_saveable(state: Phase) -> str:
    return f"the VM can't be saved: it is {state}, and must be {SAVEABLE}"
