from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES
from anka_crds.rules.management import OURS, is_ours
from support.objects import instance


@pytest.mark.parametrize(
    ("manager", "ours"), [(None, True), (OURS, True), ("kueue.x-k8s.io/multikueue", False), (f"{OURS}-2", False)]
)
def test_whose_an_instance_is(manager: str | None, ours: bool) -> None:
    spec: dict[str, Any] = {"managedBy": manager} if manager else {}
    found = instance(**spec)
    assert is_ours(found) is ours
    assert INSTANCES.is_ours(found) is ours


def test_ours_is_not_written_into_objects() -> None:
    assert "managedBy" not in INSTANCES.dump(instance())["spec"]


# What batch/v1 takes as managedBy of a Job: the table of its validation.
@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("example.com/foo", True),
        ("kueue.x-k8s.io/multikueue", True),
        ("a/b/c", True),
        ("a/%2F!$&'()*+,;=:~._-", True),
        (OURS, True),
        ("a/" + "x" * 61, True),
        ("a/" + "x" * 62, False),
        ("", False),
        ("foo", False),
        ("/foo", False),
        ("example.com/", False),
        ("Example.com/foo", False),
        ("example..com/foo", False),
        ("-example.com/foo", False),
        ("example.com-/foo", False),
        ("example.com/a b", False),
        ("example.com/a\n", False),
        ("example.com/a?b", False),
    ],
)
def test_names_of_managers(name: str, valid: bool) -> None:
    body = {"metadata": {"name": "a"}, "spec": {"template": "t", "managedBy": name}}
    if valid:
        assert AnkaInstance.model_validate(body).spec.managed_by == name
    else:
        with pytest.raises(ValidationError, match=re.escape("managedBy")):
            AnkaInstance.model_validate(body)
