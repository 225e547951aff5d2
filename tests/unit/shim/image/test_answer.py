from __future__ import annotations

from typing import Any

import pytest

from anka_shim.image.answer import image_answer
from support.objects import TEMPLATE, save_image
from support.rest import shown

SEED_SCRIPT = "IyEvYmluL2Jhc2gKZWNobyAkKGhvc3RuYW1lKQplY2hvCmVudgpleHBvcnQgVEVTVD10cnVlCmJhc2ggLWMgImVjaG8gJFRFU1QiCg=="

STATUS: dict[str, Any] = {
    "nodeName": "mac-1",
    "vmUuid": "vm-1",
    "registry": "http://anka.registry:8089",
    "requestedAt": "2021-04-06T14:45:16Z",
}


def test_answer_of_a_new_request_has_all_keys() -> None:
    answer = shown(image_answer(save_image(), "uid-save", "uid-one", "http://r:8089"))
    assert answer == {
        "id": "uid-save",
        "request": {
            "RequestId": "uid-save",
            "Priority": 0,
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
    answer = shown(image_answer(save, name, "", ""))
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
    ("error", "wanted"),
    [
        ({"message": "Script execution failed", "code": 0}, {"Message": "Script execution failed", "Code": 0}),
        (
            {"message": "illegal base64 data", "type": "base64.CorruptInputError"},
            {"Message": "illegal base64 data", "Type": "base64.CorruptInputError"},
        ),
    ],
)
def test_errors_as_the_seed_shows_them(error: dict[str, Any], wanted: dict[str, Any]) -> None:
    answer = shown(image_answer(save_image(status={"phase": "Error", "error": error}), "s", "", ""))
    assert (answer["status"], answer["error"]) == ("error", wanted)
