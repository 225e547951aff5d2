from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api.save_image import SaveImageSpec
from anka_shim.failure import Failure
from anka_shim.image.request import SaveVm, check_complete, find_repeated, save_manifest, save_spec
from support.objects import TEMPLATE, instance, save_image
from support.rest import read

TAG = {"tag": "v2", "target_vm_id": TEMPLATE}
SEED_SCRIPT = "IyEvYmluL2Jhc2gKZWNobyAkKGhvc3RuYW1lKQplY2hvCmVudgpleHBvcnQgVEVTVD10cnVlCmJhc2ggLWMgImVjaG8gJFRFU1QiCg=="


def spec(**data: Any) -> dict[str, Any]:
    """What a request asks for, as it is sent to the API: defaults left out."""
    request = read(SaveVm, data)
    check_complete(request)
    made: dict[str, Any] = save_manifest("id", instance(), "i", save_spec(request, "one", request.target_vm_id))["spec"]
    return made


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
    "script, in lines": ({**TAG, "script": "dW5h\r\nbWUgLXM=\n"}, {**BASE, "script": "dW5hbWUgLXM="}),
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
def test_what_is_meant(name: str) -> None:
    data, wanted = READ[name]
    assert spec(**data) == {**wanted, "ttlSecondsAfterFinished": 86400}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "tag: is required, the name of the tag to make"),
        ({"tag": "v1"}, "target_vm_id or new_template_name: one of them is required"),
        ({**TAG, "script": "%"}, "illegal base64 data at input byte 0"),
        ({**TAG, "script": "abcde"}, "illegal base64 data at input byte 4"),
        ({**TAG, "suspend": "maybe"}, "suspend: must be true or false (given: 'maybe')"),
        ({**TAG, "tag": "x" * 257}, None),
        ({**TAG, "tag": "-x"}, None),
        ({**TAG, "tag": "a\nb"}, None),
        ({"tag": "v1", "new_template_name": "--force"}, None),
        ({**TAG, "description": "--force"}, None),
        ({**TAG, "tag": ["v1"]}, "tag: must be a string (given: ['v1'])"),
        ({"tag": "v1", "new_template_name": "x" * 257}, None),
        ({**TAG, "script": "A" * 700_004}, "script: must have at most 700000 characters of base64"),
    ],
)
def test_refused(data: dict[str, Any], message: str | None) -> None:
    with pytest.raises(Failure) as failure:
        check_complete(read(SaveVm, data))
    if message is not None:
        assert failure.value.message == message


def test_the_object_keeps_the_id_that_rest_was_asked_by() -> None:
    spec = SaveImageSpec(instance="golden", tag="t", target_template="x")
    made = save_manifest("a-uuid", instance("golden"), "uid-golden", spec)
    assert made["metadata"] == {
        "name": "a-uuid",
        "namespace": "default",
        "labels": {"app.kubernetes.io/created-by": "anka-shim", "anka.veertu.com/instance-id": "uid-golden"},
    }


def test_the_same_request_again_is_the_same_request() -> None:
    wanted = save_spec(read(SaveVm, TAG), "one", TEMPLATE)
    assert find_repeated(wanted, {}) is None
    assert find_repeated(wanted, {"an-id": save_image("first", tag="v2")}) == "an-id"
    with pytest.raises(Failure, match="is being saved already, as request an-id"):
        find_repeated(wanted, {"an-id": save_image("first", tag="v3")})
