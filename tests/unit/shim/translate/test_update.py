from __future__ import annotations

from typing import Any

import pytest

from anka_shim.translate import update
from anka_shim.translate.failure import Failure


@pytest.mark.parametrize(
    ("data", "patch"),
    [
        ({}, {}),
        ({"name": "n"}, {"displayName": "n"}),
        ({"external_id": "e"}, {"externalId": "e"}),
        ({"name": "", "external_id": None, "metadata": {}}, {}),
        ({"metadata": {"jenkins-job-id": "x"}}, {"metadata": {"jenkins-job-id": "x"}}),
        ({"id": "i", "state": "Started"}, {}),
    ],
)
def test_what_changes(data: dict[str, Any], patch: dict[str, Any]) -> None:
    assert update.read(data) == patch


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"name": []}, "name: must be a string"),
        ({"name": "x" * 5000}, "name: must have at most 4096 characters"),
        ({"metadata": {"a": []}}, "metadata: value of 'a'"),
    ],
)
def test_what_is_refused(data: dict[str, Any], says: str) -> None:
    with pytest.raises(Failure) as caught:
        update.read(data)
    assert caught.value.message.startswith(says)
