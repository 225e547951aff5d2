"""Real clients that offer HTTP/2 on plain HTTP: every body arrives, on kept connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from starlette.types import Receive, Scope, Send

from support.shim_rig import TEMPLATE, listening, rig

SIZES = [0, 1, 100_000]


@dataclass
class Echo:
    """An application that answers with what it was given."""

    clients: list[int] = field(default_factory=list)
    """The port of the client of each request: equal for those of one connection."""
    offers: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.clients.append(scope["client"][1])
        self.offers += any(name == b"http2-settings" for name, _ in scope["headers"])
        content = orjson.dumps([scope["method"], len(body), body[:20].decode()])
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", b"%d" % len(content))],
            }
        )
        await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def served(application: Any) -> AsyncIterator[str]:
    async with listening(application, keep_alive_seconds=30) as (host, port):
        yield f"http://{host}:{port}"


async def run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()
    return output.decode()


async def test_every_body_of_java_arrives_on_one_connection(java_client: list[str]) -> None:
    requests, expected = [], []
    for method in ("POST", "PUT", "DELETE"):
        for way in ("bytes", "stream", "expect"):
            for size in SIZES:
                requests.append(f"{method} /api {way} *{size}")
                expected.append([method, size, "x" * min(size, 20)])
        requests.append(f"{method} /api none")
        expected.append([method, 0, ""])
        requests.append("GET /api none")
        expected.append(["GET", 0, ""])
    echo = Echo()
    async with served(echo) as url:
        lines = (await run(*java_client, url, ";".join(requests))).splitlines()
    assert [line.split(" ", 1) for line in lines] == [["200", orjson.dumps(answer).decode()] for answer in expected]
    assert echo.offers > 0
    assert len(set(echo.clients)) < len(expected) / 3


async def test_many_requests_of_java_at_the_same_time(java_client: list[str]) -> None:
    echo = Echo()
    async with served(echo) as url:
        lines = (await run(*java_client, url, "POST /a together *70000;DELETE /b together *3")).splitlines()
    content = ['200 ["POST",70000,"xxxxxxxxxxxxxxxxxxxx"]', '200 ["DELETE",3,"xxx"]']
    assert lines == [line for line in content for _ in range(8)]


async def test_java_starts_and_ends_a_vm(java_client: list[str]) -> None:
    async with rig(access_log="none") as shim, served(shim.edge) as url:
        start = f'POST /api/v1/vm bytes {{"vmid": "{TEMPLATE}", "tag": "v1", "external_id": "job 7"}}'
        lines = (await run(*java_client, url, start + ";GET /api/v1/vm none")).splitlines()
        started, listed = (orjson.loads(line.removeprefix("200 ")) for line in lines)
        assert started["status"] == "OK", started
        (element,) = listed["body"]
        assert (element["instance_id"], element["external_id"]) == (started["body"][0], "job 7")
        assert element["vm"]["tag"] == "v1"
        ended = await run(*java_client, url, f'DELETE /api/v1/vm bytes {{"id": "{started["body"][0]}"}}')
        assert orjson.loads(ended.removeprefix("200 ")) == {"status": "OK", "message": ""}


@pytest.mark.parametrize(
    "options", [["--http2"], ["--http2", "-H", "Expect: 100-continue"], ["--http1.1"], ["--http1.0"]]
)
@pytest.mark.parametrize("size", [*SIZES, 1_500_000])
async def test_every_body_of_curl_arrives(curl: str, options: list[str], size: int, tmp_path: Any) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x" * size)
    echo = Echo()
    async with served(echo) as url:
        # Three requests of one process: on one connection, as far as the protocol keeps it.
        command = [curl, "-sS", "--max-time", "60", *options]
        each = [["-X", method, "--data-binary", f"@{body}", url] for method in ("POST", "PUT", "DELETE")]
        output = await run(*command, *each[0], "--next", "-sS", *options, *each[1], "--next", "-sS", *options, *each[2])
    expected = [[method, size, "x" * min(size, 20)] for method in ("POST", "PUT", "DELETE")]
    assert output == b"".join(orjson.dumps(answer) for answer in expected).decode()
    assert (echo.offers > 0) == ("--http2" in options)
    assert len(set(echo.clients)) == (3 if "--http1.0" in options else 1)
