"""Every endpoint has a contract case: those of our own document, and those of the old API's."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from support.contract.case import FOLDER, PENDING, files, read
from support.shim_rig import rig

ENDPOINTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "endpoints.yaml").read_text())
Endpoint = tuple[str, str]


def name(entry: dict[str, Any]) -> Endpoint:
    return entry["method"], entry["path"]


def with_case(folder: str) -> set[Endpoint]:
    return {case.ask.endpoint for path in files(FOLDER / folder) for case in read(path)}


NOW, LATER = with_case("."), with_case("pending")


async def served() -> set[Endpoint]:
    async with rig() as shim:
        document = (await shim.http.get("/openapi.json")).json()
    return {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}


async def test_all_that_we_serve_has_a_case() -> None:
    api = {(method, path) for method, path in await served() if path.startswith(("/api/", "/config/"))}
    missing = sorted(api - NOW)
    assert not missing, f"no contract case in {FOLDER}: {missing}"


async def test_what_is_pending_is_not_served_yet() -> None:
    early = sorted(LATER & await served())
    assert not early, f"served by now, so move its cases from {PENDING} to {FOLDER}: {early}"


def test_all_that_the_old_api_has_is_listed_once() -> None:
    names = [name(entry) for entry in ENDPOINTS]
    assert len(set(names)) == len(names)
    for entry in ENDPOINTS:
        assert entry.keys() - {"excluded"} == {"path", "method", "source"}
        assert entry["source"].startswith(("seed: line", "clients: "))


@pytest.mark.parametrize("entry", ENDPOINTS, ids=lambda entry: f"{entry['method']} {entry['path']}")
async def test_all_that_the_old_api_has_has_a_case_or_a_reason(entry: dict[str, Any]) -> None:
    if "excluded" in entry:
        assert entry["excluded"]
        assert name(entry) not in NOW | LATER | await served(), "has a case, or is served: not excluded"
    else:
        assert name(entry) in NOW | LATER


def test_no_case_is_about_an_endpoint_that_is_not_listed() -> None:
    assert {name(entry) for entry in ENDPOINTS} >= NOW | LATER
