"""How CEL rules are composed. tests/integration/test_bad_manifests.py has the apiserver evaluate them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from anka_crds.api import KINDS, NodeGroup
from anka_crds.api.fields import (
    Argument,
    Description,
    Label,
    Line,
    MacAddress,
    ObjectName,
    PositiveSeconds,
    Priority,
    Seconds,
    at_creation,
    exclusive,
    immutable,
    mutable_with,
    on_change,
    rule,
)
from anka_crds.api.meta import KubeObject

UNUSABLE = [
    "", " ", "\t", "\u00a0", "\u3000", "\u200b", " x",
    "-", "-t", "--all", "a\nb", "a\r", "a\n", "a\0b", "a\x7f", "a\x85b",
    "a\u2028b", "a\x1bb",
]  # fmt: skip
SAME_TAG = "has(self.spec.tag) == has(oldSelf.spec.tag) && (!has(self.spec.tag) || self.spec.tag == oldSelf.spec.tag)"


def test_an_immutable_field_is_compared_and_named() -> None:
    assert immutable("tag", within="spec.") == [
        {
            "rule": SAME_TAG,
            "message": "tag can't be changed after creation: create a new object",
            "fieldPath": ".spec.tag",
        }
    ]
    assert [one["fieldPath"] for one in immutable("tag", "version")] == [".tag", ".version"]


def test_a_field_may_change_together_with_its_trigger() -> None:
    (one,) = mutable_with("restartedAt", "tag", within="spec.")
    changed = (
        "has(self.spec.restartedAt) && "
        "(!has(oldSelf.spec.restartedAt) || self.spec.restartedAt != oldSelf.spec.restartedAt)"
    )
    assert one["rule"] == f"({changed}) || ({SAME_TAG})"
    assert one["message"] == "tag can be changed only together with restartedAt, which makes it count"


def test_exclusive_fields() -> None:
    assert exclusive("tag", "version", or_none=", or none for the latest") == {
        "rule": "!(has(self.version) && has(self.tag))",
        "message": "tag and version exclude each other: give one of them, or none for the latest",
        "fieldPath": ".tag",
    }


def test_a_rule_at_creation_lets_later_writes_pass() -> None:
    assert at_creation(rule("has(self.a)", "a is needed")) == {
        "rule": "oldSelf.hasValue() || has(self.a)",
        "message": "a is needed",
        "optionalOldSelf": True,
    }


def test_on_change_is_one_rule_with_the_message_of_the_first_that_fails() -> None:
    one = on_change(rule("a", 'says "a"'), rule("b", "says b"), rule("c", "says c"))
    assert one["rule"] == "self.spec == oldSelf.spec || ((a) && (b) && (c))"
    assert one["messageExpression"] == '!(a) ? "says \\"a\\"" : !(b) ? "says b" : "says c"'
    assert one["fieldPath"] == ".spec"
    marked = on_change(rule("a", "says a"), mark="updatedAt")
    assert marked["rule"].startswith("self.?status.?updatedAt != oldSelf.?status.?updatedAt || self.spec == ")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_a_write_of_the_status_pays_for_no_rule_about_the_spec(kind: type[KubeObject]) -> None:
    """The apiserver evaluates rules at every write. A NodeGroup's status changes only when Macs join or leave."""
    for model in (kind, kind.model_fields["spec"].annotation):
        extra: Any = getattr(model, "model_config", {}).get("json_schema_extra") or {}
        for one in extra.get("x-kubernetes-validations", []):
            cheap = one["rule"].startswith(("oldSelf.hasValue() || ", "self.spec == oldSelf.spec || ")) or (
                one["rule"] == "self == oldSelf" or " || self.spec == oldSelf.spec || " in one["rule"]
            )
            assert cheap or kind is NodeGroup, one["rule"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (ObjectName, ["a", "mac-01.example"], ["", "A", "-a", "a-", "a_b", "a" * 254]),
        (Label, ["iOS Team", "my_group", "é", "日本", "v-1", "a b ", "+1"], UNUSABLE),
        (Argument, ["iphone7", "{0x14100000}"], UNUSABLE),
        (Line, ["", "-1", "build 12"], [text for text in UNUSABLE if not text.startswith("-") and text]),
        (Description, ["", "one\ntwo", "a - b", "tab\there"], ["-x", "--force", "a\0b", "\nx", "a\x1b[0m"]),
        (MacAddress, ["00:1B:44:11:3A:B7"], ["00:1b:44:11:3a:b7", "00-1B-44-11-3A-B7", "00:1B:44:11:3A"]),
        (Priority, [1, 1000, 10_000], [0, 10_001]),
        (Seconds, [0, 31_536_000], [-1, 31_536_001]),
        (PositiveSeconds, [1, 31_536_000], [0, 31_536_001]),
    ],
)
def test_limits(kind: Any, good: list[object], bad: list[object]) -> None:
    adapter = TypeAdapter[object](kind)
    assert [adapter.validate_python(value) for value in good] == good
    for value in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)
