from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from anka_shim.schema.auth import Auth
from anka_shim.schema.devices import Devices
from anka_shim.schema.group import CreateGroup, Group, NodesOfGroups, UpdateGroup
from anka_shim.schema.node import ConfigureNode, DeleteNode, Node
from anka_shim.schema.start import StartVm
from anka_shim.schema.status import StatusOk
from anka_shim.schema.template import Disk, RevertTemplate, Template
from anka_shim.schema.vm import RestartVm, Vm
from anka_shim.translate import group, node_config, start, template
from support.shim_rig import TEMPLATE, rig

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rest-api.md"


@pytest.mark.parametrize("path", ["/api/v1/nope", "/", "/api/v1/vm/x", "/api", "/%00", "/API/v1/vm"])
async def test_unknown_endpoints_answer_404_with_the_envelope(path: str) -> None:
    async with rig() as shim:
        response = await shim.http.get(path)
        assert response.status_code == 404
        assert response.json()["status"] == "FAIL"
        assert response.json()["message"].startswith("no such endpoint: ")
        assert "detail" not in response.json()


async def test_wrong_methods_answer_405_with_the_envelope_and_all_right_ones() -> None:
    async with rig() as shim:
        response = await shim.http.patch("/api/v1/vm")
        assert (response.status_code, response.json()["status"]) == (405, "FAIL")
        assert response.headers["allow"] == "DELETE, GET, POST, PUT"


@pytest.mark.parametrize("path", ["/api/v1/vm", "/api/v1/vm/", "//api/v1/vm", "//api//v1/vm//"])
async def test_slashes_never_redirect(path: str) -> None:
    async with rig() as shim:
        response = await shim.http.request("POST", f"http://shim{path}", json={"vmid": TEMPLATE})
        assert response.status_code == 200
        assert response.json()["status"] == "OK"


async def test_status() -> None:
    async with rig(registry_url="http://registry.test:8089/") as shim:
        answer = await shim.call("GET", "/api/v1/status")
        StatusOk.model_validate(answer)
        assert (answer["body"]["status"], answer["body"]["registry_address"]) == (
            "Running",
            "http://registry.test:8089",
        )


async def test_too_long_bodies() -> None:
    async with rig(max_body_bytes=2000) as shim:
        assert (
            await shim.message("POST", "/api/v1/vm", content=b"x" * 2001)
            == "the request body is larger than 2000 bytes"
        )

        async def chunks() -> Any:
            for _ in range(30):
                yield b"x" * 100

        assert "larger than 2000" in await shim.message("POST", "/api/v1/vm", content=chunks())
        assert "not valid JSON" in await shim.message("POST", "/api/v1/vm", content=b"x" * 2000)


async def test_request_ids(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as shim:
        response = await shim.http.get("/api/v1/vm", headers={"X-Request-Id": "job-1"})
        assert response.headers["x-request-id"] == "job-1"
        odd = await shim.http.get("/api/v1/vm", headers={"X-Request-Id": "a b\t"})
        assert len(odd.headers["x-request-id"]) == 32


async def test_the_access_log_says_what_failed_and_why(caplog: pytest.LogCaptureFixture) -> None:
    async with rig(access_log="changes") as shim:
        with caplog.at_level(logging.INFO, "anka_shim.access"):
            await shim.call("GET", "/api/v1/vm")
            assert not caplog.records
            await shim.call("GET", "/api/v1/vm?id=x")
            (record,) = caplog.records
            assert (
                vars(record).items()
                >= {"method": "GET", "code": 200, "outcome": "FAIL", "failure": "Not found"}.items()
            )


async def test_metrics_by_route_and_outcome() -> None:
    async with rig() as shim:
        await shim.call("GET", "/api/v1/vm?id=x")
        await shim.http.get("/surprise/17")
        text = (await shim.http.get("/metrics")).text
        assert 'anka_shim_requests_total{code="200",method="GET",route="/api/v1/vm",status="FAIL"}' in text
        assert 'route="other"' in text
        assert "surprise" not in text


async def test_a_bug_is_a_500_with_the_envelope_and_a_trace_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig() as shim:

        def broken() -> bytes:
            raise ZeroDivisionError("boom")

        monkeypatch.setattr(shim.services.instance_views, "all", broken)
        response = await shim.http.get("/api/v1/vm", headers={"X-Request-Id": "r-17"})
        assert response.status_code == 500
        assert response.json() == {
            "status": "FAIL",
            "message": "internal error, request r-17: see the log of the API shim",
        }
        assert response.headers["x-request-id"] == "r-17"
        assert "ZeroDivisionError: boom" in caplog.text


async def test_too_many_at_a_time(caplog: pytest.LogCaptureFixture) -> None:
    async with rig(max_in_flight=1) as shim:
        shim.edge._in_flight = 1
        response = await shim.http.get("/api/v1/vm")
        assert (response.status_code, response.json()["status"]) == (503, "FAIL")
        assert response.headers["retry-after"] == "1"
        shim.edge._in_flight = 0
        assert (await shim.http.get("/api/v1/vm")).status_code == 200


async def test_draining_lets_connections_go() -> None:
    async with rig() as shim:
        assert "connection" not in (await shim.http.get("/api/v1/vm")).headers
        shim.edge.draining = True
        assert (await shim.http.get("/api/v1/vm")).headers["connection"] == "close"


async def test_probes() -> None:
    async with rig() as shim:
        assert (await shim.http.get("/livez")).status_code == 200
        ready = await shim.http.get("/readyz")
        assert (ready.status_code, ready.text) == (200, "[ok] caches\n")
        shim.services.health.ready["stopping"] = lambda: "shutting down"
        assert (await shim.http.get("/readyz")).status_code == 503
        assert (await shim.http.get("/livez")).status_code == 200


async def test_the_openapi_document_has_every_endpoint_and_no_loose_end() -> None:
    async with rig() as shim:
        document = (await shim.http.get("/openapi.json")).json()
        assert {path: set(methods) for path, methods in document["paths"].items()} == {
            "/api/v1/vm": {"get", "post", "put", "delete"},
            "/api/v1/image": {"get", "post"},
            "/api/v1/node": {"get", "delete"},
            "/api/v1/node/config": {"post"},
            "/api/v1/node/update": {"put"},
            "/api/v1/group": {"get", "post", "put", "delete"},
            "/api/v1/node/group": {"post", "delete"},
            "/api/v1/registry/vm": {"get", "delete"},
            "/api/v1/registry/revert": {"delete"},
            "/api/v1/registry/disk": {"get"},
            "/api/v1/rpc/vm/restart": {"post"},
            "/api/v1/usb": {"get"},
            "/api/v1/vlan": {"get"},
            "/config/v1/auth": {"get"},
            "/api/v1/status": {"get"},
            "/pkg/{file}": {"get"},
            "/livez": {"get"},
            "/readyz": {"get"},
            "/api/v1/registry/vm/distribute": {"get", "post", "delete"},
            "/api/v1/registry/vm/remove": {"delete"},
            "/api/v1/logs": {"get"},
            "/logs/file": {"get"},
            "/metrics": {"get"},
        }
        schemas = document["components"]["schemas"]
        text = json.dumps(document)
        named = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
        assert named <= schemas.keys()
        assert "HTTPValidationError" not in text
        assert schemas["StartVm"]["examples"]
        assert (await shim.http.get("/docs")).status_code == 200


EXAMPLES: list[tuple[type[BaseModel], Callable[[dict[str, Any]], object] | None]] = [
    (Vm, None),
    (Node, None),
    (Group, None),
    (StartVm, lambda example: start.read(example, max_count=100)),
    (CreateGroup, group.read),
    (UpdateGroup, group.read),
    (NodesOfGroups, None),
    (ConfigureNode, node_config.read),
    (DeleteNode, None),
    (Template, None),
    (RestartVm, None),
    (Devices, None),
    (Auth, None),
    (Disk, None),
    (RevertTemplate, template.read_revert),
]


@pytest.mark.parametrize(("model", "read"), EXAMPLES)
def test_documented_examples_are_what_the_models_say(
    model: type[BaseModel], read: Callable[[dict[str, Any]], object] | None
) -> None:
    examples = model.model_json_schema()["examples"]
    assert examples
    for example in examples:
        model.model_validate(example)
        if read:
            read(example)


async def test_every_endpoint_is_in_the_page_about_them() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    async with rig() as shim:
        for path, methods in (await shim.http.get("/openapi.json")).json()["paths"].items():
            for method in methods if path.startswith(("/api/", "/config/")) else ():
                words = [row for row in rows if path in re.findall(r"/[a-z0-9/]+", row.split("|")[1])]
                assert any(method.upper() in row.split("|")[1] for row in words), f"{method.upper()} {path}"
