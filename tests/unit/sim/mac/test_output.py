"""What `anka` prints."""

from __future__ import annotations

from typing import Any

import pytest

from anka_sim.mac.output import Reply, envelope, human

TABLE = """\
+------+---------+
| name | running |
+------+---------+
| one  | yes     |
| two  |         |
+------+---------+"""


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([], ""),
        (["a", "b"], "a\nb"),
        ([{"name": "one", "running": True}, {"name": "two"}], TABLE),
        ({"name": "one", "labels": {"a": "b"}}, 'name: one\nlabels: {"a": "b"}'),
        ({"rules": [{"port": 22}]}, "rules:\n+------+\n| port |\n+------+\n| 22   |\n+------+"),
        ("plain", "plain"),
    ],
)
def test_for_people(body: Any, text: str) -> None:
    assert human(Reply(body)) == text


def test_a_text_of_its_own_comes_before_the_body() -> None:
    assert human(Reply({"a": 1}, text="one")) == "one"


def test_for_machines_it_is_one_line_that_does_not_end() -> None:
    assert envelope({"a": 1}) == '{"status": "OK", "code": 0, "body": {"a": 1}, "message": ""}'
    assert envelope({}, 3, "x: not found") == '{"status": "ERROR", "code": 3, "body": {}, "message": "x: not found"}'
