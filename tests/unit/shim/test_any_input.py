"""Whatever a client sends: always the envelope, never a 5xx, never FastAPI's own words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anka_shim.node.request import ConfigureNode
from anka_shim.vm.request import StartVm
from support.shim_rig import TEMPLATE, Rig, rig

Call = tuple[Rig, asyncio.Runner]

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from([TEMPLATE, "v1", "mac-1", "ios", "ZWNobwo=", "22", "0", "256G", "forceOn", "\0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "guest_port", "host_port", "size"]) | st.text(max_size=5), inner, max_size=3
        )
    ),
    max_leaves=8,
)
IMAGES = ["target_vm_id", "new_template_name", "suspend", "script", "revert_before_push", "revert_tag"]
OTHERS = [
    *IMAGES,
    "count",
    "id",
    "instance_id",
    "description",
    "fallback_group_id",
    "group_ids",
    "node_ids",
    "template_id",
    *ConfigureNode.model_fields,
]
BODIES = st.dictionaries(st.sampled_from([*StartVm.model_fields, *OTHERS]), VALUES, max_size=8)
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "get"])


@cache
def paths() -> list[str]:
    """All endpoints that have the envelope, and one that there is not."""

    async def served() -> list[str]:
        async with rig() as shim:
            document = (await shim.http.get("/openapi.json")).json()
        return [path for path in document["paths"] if path.startswith(("/api/", "/config/"))]

    return [*asyncio.run(served()), "/api/v1/none"]


QUERIES = st.sampled_from(
    [
        "",
        "?id=",
        "?id=ios",
        f"?id={TEMPLATE}",
        "?id=%00",
        "?id=%ff%fe",
        "?id=%ed%a0%80",
        "?id=a&id=b",
        "?&&=&",
        "?number=1e9",
    ]
) | st.integers(1, 20_000).map(lambda length: "?id=" + "x" * length)
PATHS = st.builds(str.__add__, st.deferred(lambda: st.sampled_from(paths())), QUERIES)
TYPES = st.sampled_from(
    [
        "application/json",
        "application/json; charset=latin-1",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "text/plain",
        "x;charset=utf-99",
        "/",
        ";;;",
        "",
    ]
)
ODD_BODIES = st.sampled_from(
    [
        b'{"vmid": NaN}',
        b'{"count": Infinity}',
        b'{"count": 1e999}',
        b'{"count": ' + b"9" * 5000 + b"}",
        b'{"count": -' + b"9" * 400 + b"}",
        b'{"priority": 18446744073709551616}',
        b'{"vmid": "a", "vmid": "b", "id": "x", "id": "y"}',
        b'{"vmid": "\\ud800"}',
        b'{"id": "\\udfff\\ud800"}',
        b'{"id": "\xed\xa0\x80"}',
        b'{"id": "\\u0000"}',
        b'{"id": "\x00"}',
        b'{"name": "caf\xe9"}',
        b'{"metadata": {"\\u0000": 1}}',
        b"[" * 5000,
        b"[" * 5000 + b"]" * 5000,
        b'{"disk":' * 2000 + b"1" + b"}" * 2000,
        b'{"id": "' + b"x" * 100_000 + b'"}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"null",
        b"0",
        b'"text"',
        b"--x\r\nContent-Disposition: form-data; name=id\r\n\r\n1\r\n--x--\r\n",
        b"id=x&count=2",
    ]
)
IDS = st.sampled_from(
    [
        "/api/v1/vm",
        "/api/v1/node",
        "/api/v1/group",
        "/api/v1/registry/vm",
        "/api/v1/registry/revert",
        "/api/v1/registry/vm/distribute",
        "/api/v1/registry/vm/remove",
    ]
)
OFTEN = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def shim() -> Iterator[Call]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opened = runner.run(stack.enter_async_context(rig(max_count=3, access_log="none")))
        yield opened, runner
        runner.run(stack.aclose())


def sent(shim: Call, method: str, path: str, body: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The answer, held against what every answer must be."""
    opened, runner = shim
    response = runner.run(opened.http.request(method, path, content=body, headers=headers))
    assert response.status_code in (200, 404, 405), response.text
    assert response.headers["content-type"] == "application/json"
    if method == "HEAD":
        return {}
    answer = response.json()
    assert isinstance(answer, dict)
    assert {"status", "message"} <= answer.keys() <= {"status", "message", "body"}
    assert answer["status"] in ("OK", "FAIL")
    assert isinstance(answer["message"], str)
    assert bool(answer["message"]) == (answer["status"] == "FAIL")
    assert "Traceback" not in answer["message"]
    return answer


@OFTEN
@given(METHODS, PATHS, st.binary(max_size=300) | ODD_BODIES, TYPES)
def test_any_bytes(shim: Call, method: str, path: str, body: bytes, content_type: str) -> None:
    sent(shim, method, path, body, {"Content-Type": content_type})


@OFTEN
@given(METHODS, PATHS, BODIES)
def test_any_json(shim: Call, method: str, path: str, body: dict[str, Any]) -> None:
    sent(shim, method, path, orjson.dumps(body))


@OFTEN
@given(BODIES)
def test_any_start_of_a_known_template(shim: Call, body: dict[str, Any]) -> None:
    answer = sent(shim, "POST", "/api/v1/vm", orjson.dumps({**body, "vmid": TEMPLATE}))
    if answer["status"] == "OK":
        # What was accepted is in the list, which can still be read.
        listed = {element["instance_id"] for element in sent(shim, "GET", "/api/v1/vm", b"")["body"]}
        assert set(answer["body"]) <= listed


@OFTEN
@given(
    st.text(max_size=50),
    IDS,
    st.sampled_from(["GET", "DELETE", "PUT"]),
)
def test_any_id(shim: Call, id_: str, path: str, method: str) -> None:
    opened, runner = shim
    query = str(runner.run(_query(opened, path, id_)))
    sent(shim, method, query, b"")


async def _query(opened: Rig, path: str, id_: str) -> Any:
    return opened.http.build_request("GET", path, params={"id": id_}).url
