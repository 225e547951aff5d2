from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api.save_image import SaveImageSpec
from anka_shim.translate import image
from anka_shim.translate.failure import Failure
from support.objects import TEMPLATE, instance, save_image

TAG = {"tag": "v2", "target_vm_id": TEMPLATE}
SEED_SCRIPT = "IyEvYmluL2Jhc2gKZWNobyAkKGhvc3RuYW1lKQplY2hvCmVudgpleHBvcnQgVEVTVD10cnVlCmJhc2ggLWMgImVjaG8gJFRFU1QiCg=="


def spec(**data: Any) -> dict[str, Any]:
    """What a request asks for, as it is sent to the API: defaults left out."""
    request = image.read(data)
    return image.manifest("id", instance(), image.spec(request, "one", request.target))["spec"]  # type: ignore[no-any-return]


BASE = {"instance": "one", "tag": "v2", "targetTemplate": TEMPLATE}
READ: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "least": (TAG, BASE),
    "new template": ({"tag": "v1", "new_template_name": "n"}, {"instance": "one", "tag": "v1", "newTemplateName": "n"}),
    "both: the template that there is": ({**TAG, "new_template_name": "n"}, BASE),
    "empty texts are not given": ({**TAG, "new_template_name": "", "script": "", "description": ""}, BASE),
    "unknown fields": ({**TAG, "priority": 5, "x": [1]}, BASE),
    "description": ({**TAG, "description": "d"}, {**BASE, "description": "d"}),
    "stopped": ({**TAG, "suspend": False}, {**BASE, "suspend": False}),
    "stopped, in words": ({**TAG, "suspend": "false"}, {**BASE, "suspend": False}),
    "suspended": ({**TAG, "suspend": True}, BASE),
    "script": ({**TAG, "script": SEED_SCRIPT}, {**BASE, "script": SEED_SCRIPT}),
    "script, in lines and without its end": ({**TAG, "script": "dW5h\nbWUgLXM"}, {**BASE, "script": "dW5hbWUgLXM="}),
    "revert": ({**TAG, "revert_before_push": True}, {**BASE, "revertBeforePush": True}),
    "revert of a tag": (
        {**TAG, "revert_before_push": True, "revert_tag": "v1"},
        {**BASE, "revertBeforePush": True, "revertTag": "v1"},
    ),
    "tag of no revert": ({**TAG, "revert_before_push": False, "revert_tag": "v1"}, BASE),
    "revert of a new template": (
        {"tag": "v1", "new_template_name": "n", "revert_before_push": True},
        {"instance": "one", "tag": "v1", "newTemplateName": "n"},
    ),
    "sanity test": ({**TAG, "do_suspend_sanity_test": True}, {**BASE, "suspendSanityTest": True}),
    "sanity test of a stopped VM": (
        {**TAG, "suspend": False, "do_suspend_sanity_test": True},
        {**BASE, "suspend": False},
    ),
    "cancel": (
        {**TAG, "script": "ZXhpdA==", "cancel_on_script_failure": True},
        {**BASE, "script": "ZXhpdA==", "cancelOnScriptFailure": True},
    ),
    "cancel without a script": ({**TAG, "cancel_on_script_failure": True}, BASE),
    "what Jenkins sends": (
        {
            "id": "x", "target_vm_id": TEMPLATE, "tag": "job_20260101", "description": "", "suspend": True,
            "script": "c3luYyAmJiBzbGVlcCA2MA==", "revert_before_push": True, "revert_tag": "job_1",
            "do_suspend_sanity_test": True,
        },
        {
            **BASE, "tag": "job_20260101", "script": "c3luYyAmJiBzbGVlcCA2MA==", "revertBeforePush": True,
            "revertTag": "job_1", "suspendSanityTest": True,
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_read(name: str) -> None:
    data, wanted = READ[name]
    assert spec(**data) == {**wanted, "ttlSecondsAfterFinished": 86400}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "tag: is required, the name of the tag to make"),
        ({"tag": "v1"}, "target_vm_id or new_template_name: one of them is required"),
        ({**TAG, "script": "%"}, "script: must be base64 (given: '%')"),
        ({**TAG, "script": "abcde"}, "script: must be base64 (given: 'abcde')"),
        ({**TAG, "suspend": "maybe"}, "suspend: must be true or false (given: 'maybe')"),
        ({**TAG, "tag": "x" * 257}, None),
        ({**TAG, "tag": ["v1"]}, "tag: must be a string (given: ['v1'])"),
        ({"tag": "v1", "new_template_name": "x" * 257}, None),
        ({**TAG, "script": "A" * 700_004}, "script: must have at most 700000 characters of base64"),
    ],
)
def test_refused(data: dict[str, Any], message: str | None) -> None:
    with pytest.raises(Failure) as failure:
        image.read(data)
    if message is not None:
        assert failure.value.message == message


def test_the_object_keeps_the_id_that_rest_was_asked_by() -> None:
    made = image.manifest("a-uuid", instance("golden"), SaveImageSpec(instance="golden", tag="t", target_template="x"))
    assert made["metadata"] == {
        "name": "a-uuid",
        "namespace": "default",
        "labels": {"app.kubernetes.io/created-by": "anka-shim", "anka.veertu.com/instance-id": "uid-golden"},
    }


def test_the_same_request_again_is_the_same_request() -> None:
    wanted = image.spec(image.read(TAG), "one", TEMPLATE)
    assert image.repeated(wanted, []) is None
    assert image.repeated(wanted, [save_image("first", tag="v2")]) == "uid-first"
    with pytest.raises(Failure, match="is being saved already, as request uid-first"):
        image.repeated(wanted, [save_image("first", tag="v3")])


STATUS: dict[str, Any] = {
    "nodeName": "mac-1",
    "vmUuid": "vm-1",
    "registry": "http://anka.registry:8089",
    "requestedAt": "2021-04-06T14:45:16Z",
}


def test_answer_of_a_new_request_has_all_keys() -> None:
    answer = image.image_answer(save_image(), instance(), "http://r:8089")
    assert answer == {
        "id": "uid-save",
        "request": {
            "RequestId": "uid-save",
            "Priority": 1000,
            "Timestamp": 1767225600,
            "ReserveExpiryTimestamp": 0,
            "RegistryAddr": "http://r:8089",
            "VMID": "",
            "InstanceID": "uid-one",
            "NodeID": "",
            "TemplateID": TEMPLATE,
            "NewTemplateName": "",
            "Tag": "saved",
            "Description": "",
            "Suspend": True,
            "Script": "",
            "DoSuspendTest": False,
            "RevertBeforePush": False,
            "RevertTag": "",
            "CancelOnScriptFailure": False,
        },
        "status": "pending",
        "error": None,
        "script_result": None,
    }


def test_answer_of_the_seeds_done_request() -> None:
    result = {"returnCode": 0, "stdout": "true\n", "stderr": "", "errors": []}
    name = "ad84c5aa-2b1d-4ff5-72ef-9b519646b212"
    labels = {"anka.veertu.com/instance-id": "6f1776ad-3b6d-40b3-4bf9-21fe986bc26d"}
    save = save_image(
        name, status={**STATUS, "phase": "Done", "scriptResult": result}, meta={"labels": labels}, script=SEED_SCRIPT
    )
    answer = image.image_answer(save, None, "")
    assert answer["id"] == answer["request"]["RequestId"] == name
    assert answer["request"] | {
        "Timestamp": 1617720316, "RegistryAddr": "http://anka.registry:8089", "VMID": "vm-1", "NodeID": "mac-1",
        "InstanceID": "6f1776ad-3b6d-40b3-4bf9-21fe986bc26d", "Script": SEED_SCRIPT,
    } == answer["request"]  # fmt: skip
    assert (answer["status"], answer["error"]) == ("done", None)
    assert answer["script_result"] == {
        "stdout": "true\n", "stderr": "", "errors": None, "did_timeout": False, "return_code": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ({"message": "Script execution failed", "code": 0}, {"Message": "Script execution failed", "Code": 0}),
        (
            {"message": "illegal base64 data", "type": "base64.CorruptInputError"},
            {"Message": "illegal base64 data", "Type": "base64.CorruptInputError"},
        ),
    ],
)
def test_errors_as_the_seed_shows_them(error: dict[str, Any], shown: dict[str, Any]) -> None:
    answer = image.image_answer(save_image(status={"phase": "Error", "error": error}), None, "")
    assert (answer["status"], answer["error"]) == ("error", shown)


def test_an_instance_of_kubectl_that_is_gone_is_known_by_its_name() -> None:
    assert image.image_answer(save_image(of="golden"), None, "")["request"]["InstanceID"] == "golden"
