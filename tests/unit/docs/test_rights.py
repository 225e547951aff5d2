"""docs/rights.md is what the manifests grant; that each is needed, tests/e2e/test_chart_install.py shows."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import yaml

from anka_dev.cloud.install import BASE, ROOT
from support.rights import Right, bound, covers, granted, refused
from support.rights_table import PEOPLE, rows

TESTS = ROOT / "tests" / "e2e" / "test_chart_install.py"


def test_each_right_has_one_row() -> None:
    objects = [item for file in BASE.glob("*.yaml") for item in yaml.safe_load_all(file.read_text()) if item]
    given = [one.right for one in granted([*objects, *map(bound, PEOPLE)])]
    told = [row.right for row in rows()]
    assert sorted(told) == sorted(given)
    assert len(set(told)) == len(told)


def test_each_row_names_a_test() -> None:
    known = {item.name for item in ast.parse(TESTS.read_text()).body if isinstance(item, ast.FunctionDef)}
    assert {row.test for row in rows()} <= known


MAC = {"username": "system:serviceaccount:anka-nodes:node-a", "groups": ["system:serviceaccounts:anka-nodes"]}


@pytest.mark.parametrize(
    ("right", "needed"),
    [
        (Right("system:serviceaccounts:anka-nodes", "", "g", "things/status", "patch"), True),
        (Right("system:serviceaccount:anka-nodes:node-a", "", "g", "things/status", "patch"), True),
        (Right("system:serviceaccounts:anka-nodes", "n", "g", "things/status", "patch"), True),
        (Right("system:serviceaccounts:anka-nodes", "m", "g", "things/status", "patch"), False),
        (Right("system:serviceaccounts:anka-system", "", "g", "things/status", "patch"), False),
        (Right("system:serviceaccounts:anka-nodes", "", "h", "things/status", "patch"), False),
        (Right("system:serviceaccounts:anka-nodes", "", "g", "things", "patch"), False),
        (Right("system:serviceaccounts:anka-nodes", "", "g", "things/status", "get"), False),
    ],
    ids=str,
)
def test_which_right_a_request_needs(right: Right, needed: bool) -> None:
    asked = {"resource": "things", "subresource": "status", "namespace": "n", "apiGroup": "g"}
    assert covers(right, {"user": MAC, "verb": "patch", "objectRef": asked}) is needed


@pytest.mark.parametrize(("decision", "no"), [("forbid", True), ("allow", False)])
def test_a_refusal_is_told_from_an_admission_policys(decision: str, no: bool) -> None:
    event: dict[str, Any] = {"annotations": {"authorization.k8s.io/decision": decision}}
    assert refused(event) is no
    assert refused({}) is False
