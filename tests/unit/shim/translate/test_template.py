from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import AnkaTemplate
from anka_shim.schema.template import Template, TemplateRow, TemplateRowV1
from anka_shim.translate.failure import Failure
from anka_shim.translate.template import Revert, in_registry, read_revert, row, row_v1, template_answer

ID = "d937553f-ab5f-405a-8d91-198f5001794e"
VERSION = {
    "number": 0,
    "tag": "v1",
    "description": "first",
    "configFile": f"{ID}.yaml",
    "nvram": "nvram",
    "images": ["a.ank", "b.ank"],
    "stateFiles": ["s.ank"],
    "stateFile": "s.ank",
    "sizeBytes": 28655484928,
    "arch": "",
    "lastPull": "2024-09-24T20:00:44Z",
    "lastPush": "2024-09-02T08:26:04Z",
}
STATUS = {
    "name": "14.5-arm64",
    "arch": "arm64",
    "sizeBytes": 28655484928,
    "lastPull": "2024-09-24T20:00:44.9Z",
    "lastPush": "2024-09-02T08:26:04Z",
    "latestTag": "v2",
    "versions": [VERSION, {"number": 5, "tag": "v2"}],
}


def made(status: dict[str, Any] | None = None, spec: dict[str, Any] | None = None, **metadata: Any) -> AnkaTemplate:
    return AnkaTemplate.from_api({"metadata": {"name": ID, **metadata}, "spec": spec or {}, "status": status or {}})


def ready(status: str, reason: str) -> dict[str, Any]:
    moment = {"message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    return {"conditions": [{"type": "Ready", "status": status, "reason": reason, **moment}]}


def test_a_template_with_everything() -> None:
    answer = template_answer(made(STATUS))
    Template.model_validate(answer)
    assert answer == {
        "id": ID,
        "name": "14.5-arm64",
        "versions": [
            {
                "number": 0,
                "tag": "v1",
                "config_file": f"{ID}.yaml",
                "nvram": "nvram",
                "images": ["a.ank", "b.ank"],
                "state_files": ["s.ank"],
                "description": "first",
                "state_file": "s.ank",
                "size": 28655484928,
                "arch": "",
                "last_pull": 1727208044,
                "last_push": 1725265564,
            },
            {
                "number": 5,
                "tag": "v2",
                "config_file": "",
                "nvram": "",
                "images": [],
                "state_files": [],
                "description": "",
                "state_file": "",
                "size": 0,
                "arch": "",
                "last_pull": 0,
                "last_push": 0,
            },
        ],
        "size": 28655484928,
        "arch": "arm64",
        "last_pull": 1727208044,
        "last_push": 1725265564,
    }


def test_rows() -> None:
    answer = row(made(STATUS))
    TemplateRow.model_validate(answer)
    assert "versions" not in answer
    TemplateRowV1.model_validate(row_v1(made(STATUS)))


def test_what_is_not_known_is_never_null() -> None:
    assert row(made()) == {"id": ID, "name": ID, "size": 0, "arch": "", "last_pull": 0, "last_push": 0}
    assert row_v1(made(spec={"displayName": "mine"})) == {"id": ID, "name": "mine"}


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        (made(), True),
        (made(ready("True", "Ready")), True),
        (made(ready("Unknown", "RegistryUnreachable")), True),
        (made(ready("False", "NotInRegistry")), False),
        (made(deletionTimestamp="2026-01-01T00:00:00Z"), False),
    ],
)
def test_in_registry(template: AnkaTemplate, shown: bool) -> None:
    assert in_registry(template) is shown


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ({}, Revert()),
        ({"tag": "", "number": "", "version": None}, Revert()),
        ({"tag": "v1"}, Revert(tag="v1")),
        ({"number": "0"}, Revert(number=0)),
        ({"version": 3}, Revert(number=3)),
        ({"number": "1", "version": "2"}, Revert(number=1)),
    ],
)
def test_revert(data: dict[str, Any], wanted: Revert) -> None:
    assert read_revert(data) == wanted


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"tag": "v1", "number": "0"}, "tag and number exclude each other: give one of them"),
        ({"number": "x"}, "number: must be an integer (given: 'x')"),
        ({"version": "-1"}, "number: must not be negative (given: -1)"),
        ({"tag": ["v1"]}, "tag: must be a string (given: ['v1'])"),
    ],
)
def test_revert_that_is_refused(data: dict[str, Any], says: str) -> None:
    with pytest.raises(Failure) as caught:
        read_revert(data)
    assert caught.value.message == says
