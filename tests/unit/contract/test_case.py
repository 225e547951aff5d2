from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from support.contract.case import (
    FOLDER,
    Ask,
    Case,
    Expected,
    Step,
    Unknown,
    files,
    filled,
    named_shapes,
    named_steps,
    part,
    read,
    steps,
)
from support.contract.shape import check, problems

GOOD: dict[str, Any] = {
    "title": "List all",
    "source": "legacy-api.md#group: List Groups",
    "ask": {"method": "GET", "path": "/api/v1/group?id=x"},
    "answer": {"body": ["string"]},
}


def test_a_case() -> None:
    case = Case.model_validate(GOOD)
    assert case.ask.endpoint == ("GET", "/api/v1/group")
    assert case.answer.shape == {"status": {"$is": "OK"}, "message": {"$is": ""}, "body": ["string"]}


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"source": "somewhere"},
        {"source": "legacy-api.md#group"},
        {"surprise": 1},
        {"ask": {"method": "get", "path": "/"}},
        {"ask": {"method": "GET", "path": "api"}},
        {"answer": {"status": "FAIL"}},
        {"answer": {"message": "Not found"}},
        {"answer": {"status": "ERROR", "message": "x"}},
        {"before": [{}]},
        {"before": [{"ask": GOOD["ask"], "push": {"name": "x", "tags": ["v1"]}}]},
        {"before": [{"push": {"name": "x", "tags": []}}]},
        {"before": [{"push": {"name": "x", "tags": ["v1"]}, "until": {}}]},
    ],
)
def test_not_a_case(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Case.model_validate({**GOOD, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": {"body": "strin"}}, "bad.yaml, case 2 (List all): the shape.body: no such word: 'strin'"),
        ({"before": ["a unicorn"]}, "bad.yaml, case 2 (List all): steps.yaml has no 'a unicorn'"),
        ({"then": [{"ask": GOOD["ask"], "until": {"$use": "x"}}]}, "no such shape: 'x'"),
        ({"color": "red"}, "bad.yaml, case 2 (List all): 1 validation error"),
    ],
)
def test_a_wrong_file_says_where(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump([GOOD, {**GOOD, **change}]))
    with pytest.raises(ValueError, match="case 2") as raised:
        read(path)
    assert message in str(raised.value)


def test_a_missing_body_and_a_body_of_null_are_not_the_same() -> None:
    without, with_null = Expected(), Expected.model_validate({"body": {"$is": None}})
    answer = {"status": "OK", "message": ""}
    assert list(problems(without.shape, answer, {})) == []
    assert list(problems(without.shape, {**answer, "body": None}, {})) == [".body: is not expected: None"]
    assert list(problems(with_null.shape, answer, {})) == [".body: is missing"]
    assert list(problems(with_null.shape, {**answer, "body": None}, {})) == []


def test_a_failure_is_exact() -> None:
    shape = Expected(status="FAIL", message="Not found").shape
    assert list(problems(shape, {"status": "FAIL", "message": "Not found"}, {})) == []
    assert len(list(problems(shape, {"status": "FAIL", "message": "not found"}, {}))) == 1
    assert len(list(problems(shape, {"status": "OK", "message": ""}, {}))) == 2
    assert len(list(problems(shape, {"status": "FAIL", "message": "Not found", "body": []}, {}))) == 1


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        ("{a}", "1"),
        ('{"vmid": "{a}", "x": {"b": "{b}"}}', '{"vmid": "1", "x": {"b": "{a}"}}'),
        ({"{a}": ["{b}", 3, None]}, {"1": ["{a}", 3, None]}),
        ("[0-9]{2}", "[0-9]{2}"),
    ],
)
def test_placeholders(thing: Any, expected: Any) -> None:
    assert filled(thing, {"a": "1", "b": "{a}"}) == expected


def test_placeholders_of_a_step() -> None:
    step = Step(ask=Ask(method="GET", path="/{a}"), until={"x": {"$is": "{a}"}})
    done = filled(step, {"a": "1"})
    assert (done.ask.path, done.until) == ("/1", {"x": {"$is": "1"}})
    assert "body" not in filled(Expected(), {}).shape


def test_an_unknown_placeholder() -> None:
    with pytest.raises(Unknown, match=r"nothing is kept as \{c\}; there is a, b"):
        filled("{c}", {"a": "1", "b": "2"})


@pytest.mark.parametrize(("path", "expected"), [("0.id", "x"), ("0.tags.1", "b"), ("1", "7")])
def test_part(path: str, expected: str) -> None:
    assert part([{"id": "x", "tags": ["a", "b"]}, 7], path) == expected


@pytest.mark.parametrize("path", ["2", "0.name", "0.id.x", "x"])
def test_no_such_part(path: str) -> None:
    with pytest.raises(Unknown, match="no "):
        part([{"id": "x"}, 7], path)


def test_named_steps_hold_each_other() -> None:
    asked = [step.ask.endpoint for step in steps(["a started instance"]) if step.ask]
    assert asked == [("POST", "/api/v1/vm"), ("GET", "/api/v1/vm")]


@pytest.mark.parametrize("name", sorted(named_shapes()))
def test_named_shapes(name: str) -> None:
    check(named_shapes()[name], named_shapes())


@pytest.mark.parametrize("name", sorted(named_steps()))
def test_steps_of_the_file(name: str) -> None:
    for step in steps([name]):
        if step.until is not None:
            check(step.until, named_shapes())


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(FOLDER)))
def test_files(path: Path) -> None:
    found = read(path)
    assert found
    assert len({case.title for case in found}) == len(found), "titles are used twice"
