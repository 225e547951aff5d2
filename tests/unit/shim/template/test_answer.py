from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import AnkaTemplate
from anka_shim.template.answer import (
    TemplateAnswer,
    TemplateNameAnswer,
    TemplateRowAnswer,
    in_registry,
    name_answer,
    row_answer,
    template_answer,
)
from support.rest import shown

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
    answer = shown(template_answer(made(STATUS)))
    TemplateAnswer.model_validate(answer)
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
    answer = shown(row_answer(made(STATUS)))
    TemplateRowAnswer.model_validate(answer)
    assert "versions" not in answer
    TemplateNameAnswer.model_validate(shown(name_answer(made(STATUS))))


def test_what_is_not_known_is_never_null() -> None:
    assert shown(row_answer(made())) == {"id": ID, "name": ID, "size": 0, "arch": "", "last_pull": 0, "last_push": 0}
    assert shown(name_answer(made(spec={"displayName": "mine"}))) == {"id": ID, "name": "mine"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (made(), True),
        (made(ready("True", "Ready")), True),
        (made(ready("Unknown", "RegistryUnreachable")), True),
        (made(ready("False", "NotInRegistry")), False),
        (made(deletionTimestamp="2026-01-01T00:00:00Z"), False),
    ],
)
def test_in_registry(template: AnkaTemplate, expected: bool) -> None:
    assert in_registry(template) is expected
