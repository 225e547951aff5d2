"""Every endpoint has a contract case: those of our own document, and those of the old API's."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from support.contract.case import FOLDER, files, read
from support.shim_rig import rig

ENDPOINTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "endpoints.yaml").read_text())
Endpoint = tuple[str, str]
ADMIN = "/admin/api/v1/permission/"
OFF = {(method, "/api/v1/apikey") for method in ("GET", "POST", "PUT", "DELETE")} | {
    ("GET", ADMIN + "resources/permissions"),
    ("GET", ADMIN + "group/{name}/resources"),
    ("POST", ADMIN + "group/{name}/resources"),
}
"""Where nobody has to log in, as in the contract: tests/unit/shim/api_key and permission have their cases."""


def name(entry: dict[str, Any]) -> Endpoint:
    return entry["method"], entry["path"]


WITH_CASE = {case.ask.endpoint for path in files(FOLDER) for case in read(path)}


async def served() -> set[Endpoint]:
    async with rig() as shim:
        document = (await shim.http.get("/openapi.json")).json()
    return {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}


async def test_all_that_we_serve_has_a_case() -> None:
    api = {(method, path) for method, path in await served() if path.startswith(("/api/", "/config/"))}
    missing = sorted(api - WITH_CASE - OFF)
    assert not missing, f"no contract case in {FOLDER}: {missing}"


def test_all_that_the_old_api_has_is_listed_once() -> None:
    names = [name(entry) for entry in ENDPOINTS]
    assert len(set(names)) == len(names)
    for entry in ENDPOINTS:
        assert entry.keys() - {"excluded"} == {"path", "method", "source"}
        assert entry["source"].startswith(("legacy-api.md#", "clients: "))


@pytest.mark.parametrize("entry", ENDPOINTS, ids=lambda entry: f"{entry['method']} {entry['path']}")
async def test_all_that_the_old_api_has_has_a_case_or_a_reason(entry: dict[str, Any]) -> None:
    if "excluded" in entry:
        assert entry["excluded"]
        assert name(entry) not in WITH_CASE | (await served() - OFF), "has a case, or is served: not excluded"
    else:
        assert name(entry) in WITH_CASE


def test_no_case_is_about_an_endpoint_that_is_not_listed() -> None:
    assert {name(entry) for entry in ENDPOINTS} >= WITH_CASE
