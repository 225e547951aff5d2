"""A body that was sent is read: at every endpoint that changes something, and whatever the server below lost of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.shim_rig import TEMPLATE, Rig, rig

WRITES = ("create", "update", "patch", "delete")


@pytest.fixture
async def shim() -> AsyncIterator[Rig]:
    async with rig(access_log="none") as found:
        yield found


async def changes(shim: Rig) -> list[tuple[str, str]]:
    """Method and path of all that is not a read. What takes no body and has its target in the path cannot take a lost
    body for "all"."""
    document = (await shim.http.get("/openapi.json")).json()
    found = [
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method not in ("get", "head", "options") and not path.startswith("/tap/")  # those are not HTTP 200
        if "requestBody" in operation or "{" not in path
    ]
    assert len(found) >= 18
    return found


async def test_every_endpoint_that_changes_something_reads_its_body(shim: Rig) -> None:
    for method, path in await changes(shim):
        for id_ in ("", f"?id={TEMPLATE}", "?id=mac-1", "?id=ios"):
            message = await shim.message(method, path + id_, content=b'{"id": ')
            assert message.startswith("the request body is not valid JSON: "), (method, path)
    assert [shim.api.count(verb) for verb in WRITES] == [0] * len(WRITES)


async def test_a_body_that_was_lost_is_not_an_empty_one(shim: Rig) -> None:
    """The server counts a body's bytes. If one ever loses them, this is what keeps `remove` from meaning every Mac."""
    for method, path in await changes(shim):
        for id_ in ("", f"id={TEMPLATE}", "id=mac-1", "id=ios"):
            answer = await call_without_body(shim, method, path, id_, announced=40)
            assert b'"status":"FAIL"' in answer, (method, path)
            assert b"0 bytes of 40" in answer, (method, path)
    assert [shim.api.count(verb) for verb in WRITES] == [0] * len(WRITES)


async def call_without_body(shim: Rig, method: str, path: str, query: str, announced: int) -> bytes:
    """As a server would that has read the head of the request and no body."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"shim"), (b"content-length", b"%d" % announced)],
        "client": ("192.0.2.1", 50000),
        "server": ("192.0.2.2", 80),
    }
    await shim.edge(scope, receive, send)
    return b"".join(message.get("body", b"") for message in sent)
