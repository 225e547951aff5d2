"""The registry's HTTP API: the vendor's answers, refusals as HTTP 200 with FAIL, images in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from anka_sim.registry import seed
from anka_sim.registry.server import serving

UUID = "c0847bc9-5d2d-4dbc-ba6a-240f7ff08032"
GIB = 1 << 30


class Client:
    """Requests with the envelope checked."""

    def __init__(self, session: aiohttp.ClientSession, directory: Path) -> None:
        self._session = session
        self.directory = directory

    async def send(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        async with self._session.request(method, path, **request) as response:
            assert response.status == 200
            answer: dict[str, Any] = await response.json()
            assert set(answer) == {"status", "message", "body"}
            return answer

    async def get(self, path: str) -> Any:
        answer = await self.send("GET", path)
        assert answer["status"] == "OK", answer
        return answer["body"]

    async def raw(self, method: str, path: str, **request: Any) -> tuple[int, bytes]:
        async with self._session.request(method, path, **request) as response:
            return response.status, await response.read()


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A registry with a template of two versions and one of one version."""
    for tag, size in (("v1", 15 * GIB), ("v2", 18 * GIB)):
        seed.template(tmp_path, "ventura", tag=tag, uuid=UUID, size=size, description=f"the {tag}")
    seed.template(tmp_path, "monterey", tag="only", arch="amd64")
    async with serving(tmp_path) as url, aiohttp.ClientSession(url) as session:
        yield Client(session, tmp_path)


async def test_status(client: Client) -> None:
    assert (await client.get("/registry/status"))["status"] == "Running"


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_probes(client: Client, path: str) -> None:
    assert await client.raw("GET", path) == (200, b"ok")


async def test_first_list_is_pairs_of_uuid_and_name(client: Client) -> None:
    body = await client.get("/registry/vm")
    assert body[0] == {UUID: "ventura"}
    assert list(body[1].values()) == ["monterey"]


async def test_second_list_has_sizes(client: Client) -> None:
    first, second = await client.get("/registry/v2/vm")
    assert first == {"id": UUID, "name": "ventura", "size": 18 * GIB, "arch": "arm64"}
    assert (second["name"], second["arch"]) == ("monterey", "amd64")


@pytest.mark.parametrize("path", ["/registry/vm", "/registry/v2/vm"])
async def test_template_with_versions_in_order(client: Client, path: str) -> None:
    body = await client.get(f"{path}?id={UUID}")
    assert (body["id"], body["name"], body["arch"], body["size"]) == (UUID, "ventura", "arm64", 18 * GIB)
    assert [(version["number"], version["tag"], version["size"]) for version in body["versions"]] == [
        (0, "v1", 15 * GIB),
        (1, "v2", 18 * GIB),
    ]
    newest = body["versions"][1]
    assert newest["images"][0] == body["versions"][0]["images"][0]
    assert len(newest["images"]) == 2
    assert newest["description"] == "the v2"
    assert newest["nvram"].endswith(".nvram")
    assert newest["state_files"] == []
    assert newest["last_push"] > 1_600_000_000
    assert newest["last_pull"] == 0


@pytest.mark.parametrize("query", ["", "&tag=v1", "&version=0"])
async def test_info_is_the_configuration(client: Client, query: str) -> None:
    body = await client.get(f"/registry/vm/info?id={UUID}{query}")
    assert body["uuid"] == UUID
    assert body["cpu"] == {"cores": 4}
    assert body["network_cards"][0]["port_forwarding_rules"][0]["guest_port"] == 22


REVERTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"params": {"id": UUID, "number": "1"}}, ["v1"]),
    ({"params": {"id": UUID, "tag": "v2"}}, ["v1"]),
    ({"params": {"id": UUID}, "json": {"tag": "v2"}}, ["v1"]),
    ({"params": {"id": UUID}, "data": b'{"tag": "v2"}'}, ["v1"]),
    ({"params": {"id": UUID, "version": "0"}}, []),
    ({"params": {"id": UUID, "tag": "v1"}}, []),
    ({"params": {"id": UUID}}, ["v1"]),
]


@pytest.mark.parametrize(("request_", "left"), REVERTS, ids=[str(row[0]) for row in REVERTS])
async def test_revert_removes_a_version_and_all_newer(
    client: Client, request_: dict[str, Any], left: list[str]
) -> None:
    assert (await client.send("DELETE", "/registry/revert", **request_))["status"] == "OK"
    body = await client.get(f"/registry/v2/vm?id={UUID}")
    assert [version["tag"] for version in body["versions"]] == left
    kept = {image for version in body["versions"] for image in version["images"]}
    assert {path.name for path in (client.directory / UUID / "images").iterdir()} == kept


async def test_delete(client: Client) -> None:
    assert (await client.send("DELETE", f"/registry/vm?id={UUID}"))["status"] == "OK"
    assert [row["name"] for row in await client.get("/registry/v2/vm")] == ["monterey"]


async def test_arch(client: Client) -> None:
    assert (await client.send("PUT", "/registry/vm/arch", json={"id": UUID, "arch": "amd64"}))["status"] == "OK"
    assert (await client.get(f"/registry/v2/vm?id={UUID}"))["arch"] == "amd64"


async def test_disk(client: Client) -> None:
    body = await client.get("/registry/disk")
    assert 0 < body["free"] <= body["total"]


async def post_log(client: Client, service: str, machine: str, content: str) -> dict[str, Any]:
    entry = {"machine_name": machine, "service": service, "host": "10.0.0.7", "content": content}
    return await client.send("POST", "/log", json=entry)


async def test_central_logs_are_files(client: Client) -> None:
    for content in ("one\n", "two\nthree\n", ""):
        assert (await post_log(client, "anka_agent", "mac-1", content))["status"] == "OK"
    await post_log(client, "instance-7", "mac-1", "no newline at its end")
    directory = client.directory / "files" / "central-logs"
    assert (directory / "anka_agent" / "mac-1.log").read_text() == "one\ntwo\nthree\n"
    rows = await client.get("/log")
    assert [(row["service"], row["machine_name"], row["size"]) for row in rows] == [
        ("anka_agent", "mac-1", 14),
        ("instance-7", "mac-1", 22),
    ]
    assert await client.get("/registry/vm") != [], "templates are beside them"


@pytest.mark.parametrize(
    ("last_bytes", "given"),
    [
        ("", b"one\ntwo\nthree\n"),
        ("1000", b"one\ntwo\nthree\n"),
        ("10", b"two\nthree\n"),
        ("9", b"three\n"),
        ("1", b""),
    ],
)
async def test_the_end_of_a_log_begins_with_a_whole_line(client: Client, last_bytes: str, given: bytes) -> None:
    await post_log(client, "anka_agent", "mac-1", "one\ntwo\nthree\n")
    query = f"service=anka_agent&machine_name=mac-1&last_bytes={last_bytes}"
    assert await client.raw("GET", f"/log/content?{query}") == (200, given)


@pytest.mark.parametrize(
    "name", ["../x", ".hidden", "a/b", "..", "AWS Cloud Connect Service", "i-1 | 4C4C", "mac.local"]
)
async def test_a_log_of_any_name_is_in_its_place(client: Client, name: str) -> None:
    for service, machine in ((name, "mac-1"), ("anka_agent", name)):
        assert (await post_log(client, service, machine, "x"))["status"] == "OK"
    rows = [(row["service"], row["machine_name"]) for row in await client.get("/log")]
    assert sorted(rows) == sorted([(name, "mac-1"), ("anka_agent", name)])
    files = [path for path in (client.directory / "files").rglob("*") if path.is_file()]
    assert [len(path.relative_to(client.directory).parts) for path in files] == [4, 4]
    code, text = await client.raw("GET", "/log/content", params={"service": "anka_agent", "machine_name": name})
    assert (code, text) == (200, b"x\n")


async def test_a_name_that_is_too_long(client: Client) -> None:
    assert "too long" in (await post_log(client, "x" * 201, "mac-1", "x"))["message"]


FAILURES: list[tuple[str, str, dict[str, Any], str]] = [
    ("GET", "/registry/v2/vm?id=nope", {}, "nope: not found"),
    ("GET", "/registry/vm?id=../etc", {}, "../etc: not found"),
    ("GET", "/registry/vm/info", {}, "id is missing"),
    ("GET", f"/registry/vm/info?id={UUID}&tag=nope", {}, "No such tag nope"),
    ("GET", f"/registry/vm/info?id={UUID}&version=9", {}, "version 9: not found"),
    ("GET", f"/registry/vm/info?id={UUID}&version=x", {}, "version 'x' is not a number"),
    ("DELETE", "/registry/vm", {}, "id is missing"),
    ("DELETE", "/registry/vm?id=nope", {}, "nope: not found"),
    ("DELETE", "/registry/revert", {}, "id is missing"),
    ("DELETE", f"/registry/revert?id={UUID}&tag=nope", {}, "No such tag nope"),
    ("DELETE", f"/registry/revert?id={UUID}", {"data": b"{"}, "the body is not JSON: "),
    ("DELETE", f"/registry/revert?id={UUID}", {"data": b"[]"}, "the body is not a JSON object"),
    ("PUT", "/registry/vm/arch", {"json": {"id": UUID, "arch": "vax"}}, "arch 'vax' is not amd64 or arm64"),
    ("PUT", "/registry/vm/arch", {"json": {"id": UUID}}, "arch is missing"),
    ("GET", f"/sim/v1/manifest?id={UUID}&tag=nope", {}, "No such tag nope"),
    ("GET", f"/sim/v1/image/{UUID}/.hidden", {}, "bad image name '.hidden'"),
    ("POST", "/sim/v1/push", {"json": {"id": UUID, "layer": {"name": "x.ank"}}}, "the image was not uploaded"),
]


@pytest.mark.parametrize(
    ("method", "path", "request_", "message"), FAILURES, ids=[f"{r[0]} {r[1]} {r[2]}" for r in FAILURES]
)
async def test_failures_are_answers(
    client: Client, method: str, path: str, request_: dict[str, Any], message: str
) -> None:
    answer = await client.send(method, path, **request_)
    assert answer["status"] == "FAIL"
    assert answer["message"].startswith(message)


async def test_pulling_is_recorded(client: Client) -> None:
    manifest = await client.get(f"/sim/v1/manifest?id={UUID}&tag=v1")
    assert manifest["tag"] == "v1"
    assert [layer["size"] for layer in manifest["layers"]] == [15 * GIB]
    assert (await client.get(f"/registry/v2/vm?id={UUID}"))["last_pull"] == 0
    assert (await client.send("POST", "/sim/v1/pulled", json={"id": UUID, "tag": "v1"}))["status"] == "OK"
    body = await client.get(f"/registry/v2/vm?id={UUID}")
    assert [version["last_pull"] > 0 for version in body["versions"]] == [True, False]
    assert body["last_pull"] > 0


async def test_images_come_in_pieces(client: Client) -> None:
    layer = (await client.get(f"/sim/v1/manifest?id={UUID}"))["layers"][0]
    path = f"/sim/v1/image/{UUID}/{layer['name']}"
    status, whole = await client.raw("GET", path)
    assert (status, len(whole)) == (200, layer["payload"])
    assert await client.raw("GET", path, headers={"Range": "bytes=10-"}) == (206, whole[10:])
    status, _ = await client.raw("GET", f"/sim/v1/image/{UUID}/nope.ank")
    assert status == 404


async def test_an_upload_appears_when_complete(client: Client) -> None:
    assert (await client.send("PUT", f"/sim/v1/image/{UUID}/new.ank", data=b"content"))["status"] == "OK"
    assert (client.directory / UUID / "images" / "new.ank").read_bytes() == b"content"
