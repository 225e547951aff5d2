"""docs/reference/rights.md is what the manifests grant. That each right is needed is shown by
tests/e2e/test_chart_install.py for processes, and by tests/integration/test_people.py for people."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_dev.repository import BASE, ROOT
from support.rights import Right, bound, covers, granted, lacking, refused
from support.rights_table import BOUND_BY_DEFAULT, PEOPLE, Row, rows

PROCESSES = ROOT / "tests" / "e2e" / "test_chart_install.py"
PERSONS = ROOT / "tests" / "integration" / "test_people.py"


def test_each_right_has_one_row() -> None:
    objects = [item for file in BASE.glob("*.yaml") for item in yaml.safe_load_all(file.read_text()) if item]
    bindings = [*map(bound, PEOPLE), *(bound(role, user) for role, user in BOUND_BY_DEFAULT.items())]
    given = [one.right for one in granted([*objects, *bindings])]
    told = [row.right for row in rows()]
    assert sorted(told) == sorted(given)
    assert len(set(told)) == len(told)


@pytest.mark.parametrize(("file", "people"), [(PROCESSES, False), (PERSONS, True)], ids=["processes", "people"])
def test_each_row_names_a_test(file: Path, people: bool) -> None:
    known = {item.name for item in ast.parse(file.read_text()).body if isinstance(item, ast.FunctionDef)}
    named = {row.test for row in rows() if (row.right.who in PEOPLE) is people}
    assert named
    assert named <= known


TABLE = """
## Role anka-view
| verbs | resource | where | without it | test |
| `get`, `list` | `things/status.g` | everywhere | x | `test_a` |
## Join token
| `create` | `serviceaccounts/token` | `anka-nodes` | x | `test_b` |
"""


def test_a_row_for_each_verb() -> None:
    joiner = "system:serviceaccounts:anka-joining"
    assert list(rows(TABLE)) == [
        Row(Right("anka-view", "", "g", "things/status", "get"), "test_a"),
        Row(Right("anka-view", "", "g", "things/status", "list"), "test_a"),
        Row(Right(joiner, "anka-nodes", "", "serviceaccounts/token", "create"), "test_b"),
    ]


def test_a_table_about_somebody_unknown_is_an_error() -> None:
    """It would be read as no rights at all."""
    with pytest.raises(ValueError, match="Role anka-vjew"):
        list(rows(TABLE.replace("anka-view", "anka-vjew")))


RULES = [
    {"apiGroups": ["g"], "resources": ["a", "b"], "verbs": ["get", "list"]},
    {"apiGroups": ["g"], "resources": ["c"], "verbs": ["get"]},
]


def test_one_right_less() -> None:
    roles = [{"kind": "ClusterRole", "metadata": {"name": "r"}, "rules": RULES}, bound("r")]
    every = list(granted(roles))
    assert len(every) == 5
    for one in every:
        less = {**roles[0], "rules": lacking(RULES, one)}
        assert {left.right for left in granted([less, bound("r")])} == {left.right for left in every} - {one.right}


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
