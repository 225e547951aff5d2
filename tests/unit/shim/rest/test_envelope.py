from __future__ import annotations

import json

from anka_shim.rest.envelope import encoded, fail, ok


def test_success() -> None:
    assert json.loads(ok().body) == {"status": "OK", "message": ""}
    assert json.loads(ok([]).body) == {"status": "OK", "message": "", "body": []}
    assert json.loads(encoded(b'{"a":1}').body) == {"status": "OK", "message": "", "body": {"a": 1}}
    assert ok().status_code == 200
    assert ok().media_type == "application/json"


def test_failure_is_http_200_with_a_message_and_no_body() -> None:
    answer = fail('No such tag "x"')
    assert answer.status_code == 200
    assert json.loads(answer.body) == {"status": "FAIL", "message": 'No such tag "x"'}
