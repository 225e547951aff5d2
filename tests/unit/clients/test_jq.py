"""The Python twin of each filter does what `jq` does."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from clients import jq
from clients.failing import Broken
from support.legacy_answers import ID, NODE, STATUS, VM

ENGINES = [jq.by_python, *([jq.by_jq] if shutil.which("jq") else [])]
DISTRIBUTION = {"distribute_status": {"mac-1": {"status": True, "progress": 1}}}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("chosen", "body", "arguments", "expected"),
    [
        (jq.STATUS, None, {}, "OK"),
        (jq.MESSAGE, None, {}, ""),
        (jq.VERSION, STATUS, {}, "1.50.1-24e848a5"),
        (jq.VERSION, {}, {}, "null"),
        (jq.REGISTRY, STATUS, {}, "http://anka.registry:8089"),
        (jq.NODE_ID, [NODE, {**NODE, "node_name": "x"}], {"name": "mac-1"}, "mac-1"),
        (jq.NODE_ID, [NODE], {"name": "other"}, ""),
        (jq.NODE_STATE, [NODE], {"name": "mac-1"}, "Active"),
        (jq.FIRST_ID, [ID], {}, ID),
        (jq.FIRST_ID, [], {}, "null"),
        (jq.INSTANCE_STATE, VM, {}, "Started"),
        (jq.SSH_PORT, VM, {}, "10001"),
        (jq.HOST_IP, VM, {}, "192.168.0.200"),
        (jq.REQUEST_ID, {"request_id": "r"}, {}, "r"),
        (jq.DISTRIBUTED, DISTRIBUTION, {"node": "mac-1"}, "true"),
        (jq.DISTRIBUTED, DISTRIBUTION, {"node": "mac-2"}, "null"),
    ],
)
def test_filters(engine: Any, chosen: jq.Filter, body: Any, arguments: dict[str, str], expected: str) -> None:
    raw = json.dumps({"status": "OK", "message": "", "body": body})
    assert engine(chosen, raw, **arguments) == expected


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("chosen", "raw"),
    [
        (jq.NODE_ID, '{"body": null}'),
        (jq.SSH_PORT, '{"body": {}}'),
        (jq.FIRST_ID, '{"body": 5}'),
        (jq.STATUS, "<html>"),
        (jq.STATUS, "[]"),
    ],
)
def test_what_they_break_on(engine: Any, chosen: jq.Filter, raw: str) -> None:
    arguments = {"name": "x"} if "$name" in chosen.text else {}
    with pytest.raises(Broken, match="jq: "):
        engine(chosen, raw, **arguments)
