from __future__ import annotations

import json
from typing import Any

from anka_shim.http.envelope import Envelope, fail, ok, ok_encoded


def said(answer: Envelope) -> Any:
    return json.loads(bytes(answer.body))


def test_success() -> None:
    assert said(ok()) == {"status": "OK", "message": ""}
    assert said(ok([])) == {"status": "OK", "message": "", "body": []}
    assert said(ok_encoded(b'{"a":1}')) == {"status": "OK", "message": "", "body": {"a": 1}}
    assert ok().status_code == 200
    assert ok().media_type == "application/json"


def test_failure_is_http_200_with_a_message_and_no_body() -> None:
    answer = fail('No such tag "x"')
    assert answer.status_code == 200
    assert said(answer) == {"status": "FAIL", "message": 'No such tag "x"'}
