"""Saving instances as images: `POST /api/v1/image` as a SaveImage, and a SaveImage as the old API shows it.

Source: seed document, "Save Template Image" and "List Save Template Image Requests"; legacy-clients section 1.1.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.meta import API_VERSION, GROUP
from anka_crds.api.phase import Phase
from anka_crds.api.save_image import SaveImage, SaveImageError, SaveImageSpec
from anka_crds.api.vm_info import ScriptResult
from anka_crds.core.naming import instance_id
from anka_shim.translate import values
from anka_shim.translate.failure import Failure
from anka_shim.translate.times import epoch
from anka_shim.translate.values import Json

Answer = dict[str, Any]

MAX_LABEL = 256
MAX_DESCRIPTION = 4096
MAX_SCRIPT = 700_000
KEPT_SECONDS = 86400
"""How long a request of REST is shown after its end, as those to distribute are: nobody would ever delete it."""
INSTANCE_ID = f"{GROUP}/instance-id"
"""Label: the instance_id by which REST was asked."""
SAVEABLE = Phase.STARTED


@dataclass(frozen=True)
class ImageRequest:
    """What is wanted. `target` is still as the client called the template."""

    tag: str
    target: str | None
    new_name: str | None
    description: str
    suspend: bool
    script: str | None
    revert: bool
    revert_tag: str | None
    sanity_test: bool
    cancel_on_script_failure: bool


def read(data: Json) -> ImageRequest:
    """Raises Failure. What says nothing in its place is left out, as clients send it anyway: `new_template_name` beside
    `target_vm_id`, a revert without a template, a `revert_tag` without a revert, a test of a VM that is stopped."""
    tag = values.short(data, "tag", MAX_LABEL)
    if tag is None:
        raise Failure("tag: is required, the name of the tag to make")
    target = values.text(data, "target_vm_id")
    new_name = None if target else values.short(data, "new_template_name", MAX_LABEL)
    if target is None and new_name is None:
        raise Failure("target_vm_id or new_template_name: one of them is required")
    suspend = values.boolean(data, "suspend") is not False
    revert = target is not None and values.boolean(data, "revert_before_push") is True
    revert_tag = values.short(data, "revert_tag", MAX_LABEL)
    script = _script(data)
    return ImageRequest(
        tag=tag,
        target=target,
        new_name=new_name,
        description=values.short(data, "description", MAX_DESCRIPTION) or "",
        suspend=suspend,
        script=script,
        revert=revert,
        revert_tag=revert_tag if revert else None,
        sanity_test=values.boolean(data, "do_suspend_sanity_test") is True and suspend,
        cancel_on_script_failure=values.boolean(data, "cancel_on_script_failure") is True and script is not None,
    )


def _script(data: Json) -> str | None:
    content = values.text(data, "script")
    if content is None:
        return None
    packed = "".join(content.split())
    if len(packed) > MAX_SCRIPT:
        raise Failure(f"script: must have at most {MAX_SCRIPT} characters of base64")
    padded = packed + "=" * (-len(packed) % 4)
    try:
        base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise values.wrong("script", "must be base64", content) from None
    return padded or None


def spec(request: ImageRequest, instance: str, target: str | None) -> SaveImageSpec:
    """`instance`: name of its object; `target`: the template's."""
    return SaveImageSpec(
        instance=instance,
        tag=request.tag,
        target_template=target,
        new_template_name=request.new_name,
        description=request.description,
        suspend=request.suspend,
        script=request.script,
        revert_before_push=request.revert,
        revert_tag=request.revert_tag,
        suspend_sanity_test=request.sanity_test,
        cancel_on_script_failure=request.cancel_on_script_failure,
        ttl_seconds_after_finished=KEPT_SECONDS,
    )


def manifest(id_: str, instance: AnkaInstance, wanted: SaveImageSpec) -> Answer:
    """The object to create. `id_` is a new UUID, which becomes its name and so the request's id. The instance's own id
    is kept: it may be gone when it is asked for."""
    labels = {
        "app.kubernetes.io/created-by": "anka-shim",
        INSTANCE_ID: instance_id(instance.metadata.name, instance.metadata.uid),
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "SaveImage",
        "metadata": {"name": id_, "namespace": instance.metadata.namespace, "labels": labels},
        "spec": wanted.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True),
    }


def repeated(wanted: SaveImageSpec, pending: Iterable[SaveImage]) -> str | None:
    """`pending`: the requests for this instance that have not ended. The id of the one that asks for the same: a client
    that never saw our answer sends its request again. None without any. Raises Failure for another one."""
    for save in pending:
        # Whoever made it otherwise has his own idea of how long it is to be kept, and wants the same image.
        if save.spec.model_copy(update={"ttl_seconds_after_finished": wanted.ttl_seconds_after_finished}) == wanted:
            return id_of(save)
        raise Failure(f"the VM is being saved already, as request {id_of(save)}")
    return None


def not_saveable(state: Phase) -> str:
    return f"the VM can't be saved: it is {state}, and must be {SAVEABLE}"


def id_of(save: SaveImage) -> str:
    return instance_id(save.metadata.name, save.metadata.uid)


def image_answer(save: SaveImage, instance: AnkaInstance | None, registry: str) -> Answer:
    """One request. `instance`: the one of that name, if there still is one; `registry`: our registry's URL, until the
    operator has recorded which one is pushed to."""
    wanted, status = save.spec, save.status
    return {
        "id": id_of(save),
        "request": {
            "RequestId": id_of(save),
            "Priority": wanted.priority,
            "Timestamp": epoch(status.requested_at or save.metadata.creation_timestamp),
            "ReserveExpiryTimestamp": epoch(status.reserve_expires_at),
            "RegistryAddr": status.registry or registry,
            "VMID": status.vm_uuid or "",
            "InstanceID": _instance_id(save, instance),
            "NodeID": status.node_name or "",
            "TemplateID": wanted.target_template or "",
            "NewTemplateName": wanted.new_template_name or "",
            "Tag": wanted.tag,
            "Description": wanted.description,
            "Suspend": wanted.suspend,
            "Script": wanted.script or "",
            "DoSuspendTest": wanted.suspend_sanity_test,
            "RevertBeforePush": wanted.revert_before_push,
            "RevertTag": wanted.revert_tag or "",
            "CancelOnScriptFailure": wanted.cancel_on_script_failure,
        },
        "status": status.phase.lower(),
        "error": _error(status.error),
        "script_result": _result(status.script_result),
    }


def _instance_id(save: SaveImage, instance: AnkaInstance | None) -> str:
    asked = save.metadata.labels.get(INSTANCE_ID)
    if asked is not None or instance is None:
        return asked or save.spec.instance
    return instance_id(instance.metadata.name, instance.metadata.uid)


def _error(error: SaveImageError | None) -> Answer | None:
    if error is None:
        return None
    answer: Answer = {"Message": error.message}
    if error.type is not None:
        answer["Type"] = error.type
    if error.code is not None:
        answer["Code"] = error.code
    return answer


def _result(result: ScriptResult | None) -> Answer | None:
    """All of its fields, always; `errors` null when there are none, as the seed document's samples have it."""
    if result is None:
        return None
    return {
        "stdout": result.stdout,
        "stderr": result.stderr,
        "errors": result.errors or None,
        "did_timeout": result.did_timeout,
        "return_code": result.return_code,
    }
