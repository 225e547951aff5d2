"""The application: unknown paths and methods, probes, its document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from anka_shim.auth_config.answer import AuthAnswer
from anka_shim.devices.answer import DevicesAnswer
from anka_shim.group.answer import GroupAnswer
from anka_shim.group.request import CreateGroup, NodesOfGroups, UpdateGroup
from anka_shim.http import openapi
from anka_shim.node.answer import NodeAnswer
from anka_shim.node.request import ConfigureNode, DeleteNode, config_patch
from anka_shim.status.answer import StatusOk
from anka_shim.template.answer import DiskAnswer, TemplateAnswer
from anka_shim.template.request import RevertTemplate
from anka_shim.vm.answer import VmAnswer
from anka_shim.vm.request import RestartVm, StartVm, read_start
from support.shim_rig import rig

PAGE = Path(__file__).resolve().parents[4] / "docs" / "use" / "rest-api.md"


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
        assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, POST, PUT"


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
            "/api/v1/macaddr": {"get", "put", "delete"},
            "/api/v1/rpc/vm/restart": {"post"},
            "/api/v1/usb": {"get"},
            "/api/v1/vlan": {"get"},
            "/config/v1/auth": {"get"},
            "/api/v1/apikey": {"get", "post", "put", "delete"},
            "/admin/api/v1/permission/permissions": {"get"},
            "/admin/api/v1/permission/resources/permissions": {"get"},
            "/admin/api/v1/permission/group": {"get"},
            "/admin/api/v1/permission/group/{name}": {"delete"},
            "/admin/api/v1/permission/group/{name}/permissions": {"post"},
            "/admin/api/v1/permission/group/{name}/resources": {"get", "post"},
            "/tap/v1/hand": {"post"},
            "/tap/v1/shake": {"post"},
            "/api/v1/status": {"get"},
            "/api/v1/stats": {"get"},
            "/pkg/{file}": {"get"},
            "/livez": {"get"},
            "/readyz": {"get"},
            "/api/v1/registry/vm/distribute": {"get", "post", "delete"},
            "/api/v1/registry/vm/remove": {"delete"},
            "/api/v1/logs": {"get"},
            "/logs/file": {"get"},
            "/logs/stream": {"get"},
            "/logs/archive": {"get"},
            "/metrics": {"get"},
        }
        schemas = document["components"]["schemas"]
        text = json.dumps(document)
        named = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
        assert named <= schemas.keys()
        assert "HTTPValidationError" not in text
        assert schemas["StartVm"]["examples"]
        assert (await shim.http.get("/docs")).status_code == 200


EXAMPLES: list[tuple[type[BaseModel], Callable[[Any], object] | None]] = [
    (VmAnswer, None),
    (NodeAnswer, None),
    (GroupAnswer, None),
    (StartVm, lambda example: read_start(example, max_count=100)),
    (CreateGroup, None),
    (UpdateGroup, None),
    (NodesOfGroups, None),
    (ConfigureNode, config_patch),
    (DeleteNode, None),
    (TemplateAnswer, None),
    (RestartVm, None),
    (DevicesAnswer, None),
    (AuthAnswer, None),
    (DiskAnswer, None),
    (RevertTemplate, None),
]


@pytest.mark.parametrize(("model", "read"), EXAMPLES)
def test_documented_examples_are_what_the_models_say(
    model: type[BaseModel], read: Callable[[Any], object] | None
) -> None:
    examples = openapi.EXAMPLES[model.__name__]
    assert examples
    for example in examples:
        found = model.model_validate(example)
        if read:
            read(found)


async def test_every_endpoint_is_in_the_page_about_them() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    async with rig() as shim:
        for path, methods in (await shim.http.get("/openapi.json")).json()["paths"].items():
            for method in methods if path.startswith(("/api/", "/config/")) else ():
                words = [row for row in rows if path in re.findall(r"/[a-z0-9/]+", row.split("|")[1])]
                assert any(method.upper() in row.split("|")[1] for row in words), f"{method.upper()} {path}"
