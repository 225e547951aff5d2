"""Whatever a client sends: always the envelope, never a 5xx, never FastAPI's own words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anka_shim.translate.node_config import PARAMETERS as CONFIG
from anka_shim.translate.start import PARAMETERS
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
OTHERS = [*IMAGES, "count", "id", "instance_id", "description", "fallback_group_id", "group_ids", "node_ids", *CONFIG]
BODIES = st.dictionaries(st.sampled_from([*PARAMETERS, *OTHERS]), VALUES, max_size=8)
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
PATHS = st.sampled_from(
    [
        "/api/v1/vm",
        "/api/v1/vm?id=",
        "/api/v1/node",
        "/api/v1/node/config",
        "/api/v1/group",
        "/api/v1/group?id=ios",
        "/api/v1/node/group",
        "/api/v1/registry/vm",
        "/api/v1/registry/revert",
        "/api/v1/registry/disk",
        "/api/v1/rpc/vm/restart",
        "/api/v1/image",
        "/api/v1/image?id=x",
        "/api/v1/usb",
        "/api/v1/vlan",
        "/config/v1/auth",
        "/api/v1/status",
        "/api/v1/none",
    ]
)
IDS = st.sampled_from(["/api/v1/vm", "/api/v1/node", "/api/v1/group", "/api/v1/registry/vm", "/api/v1/registry/revert"])
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
    answer = response.json()
    assert isinstance(answer, dict)
    assert {"status", "message"} <= answer.keys() <= {"status", "message", "body"}
    assert answer["status"] in ("OK", "FAIL")
    assert isinstance(answer["message"], str)
    assert bool(answer["message"]) == (answer["status"] == "FAIL")
    assert "Traceback" not in answer["message"]
    return answer


@OFTEN
@given(
    METHODS, PATHS, st.binary(max_size=300), st.sampled_from(["application/json", "text/plain", "x;charset=utf-99", ""])
)
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
