"""Changes of templates, over the simulated registry, which keeps real files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from anka_crds.api.meta import READ_REQUEST, REGISTRY_DELETION
from anka_sim.registry.catalog import RegistryCatalog
from support.shim_rig import TEMPLATE, Rig, rig

VM = "/api/v1/registry/vm"


REVERT = "/api/v1/registry/revert"


def in_registry(directory: Path) -> dict[str, list[str]]:
    return {held["id"]: [version["tag"] for version in held["versions"]] for held in RegistryCatalog(directory).all()}


async def tags(shim: Rig) -> list[str]:
    return [version["tag"] for version in (await shim.body("GET", f"{VM}?id={TEMPLATE}"))["versions"]]


@pytest.mark.parametrize(
    ("query", "body", "left"),
    [
        ("", None, ["v1"]),
        ("&number=1", None, ["v1"]),
        ("&version=0", None, []),
        ("&tag=v2", None, ["v1"]),
        ("", {"tag": "v2"}, ["v1"]),
        ("", {"version": "0"}, []),
    ],
)
async def test_revert(shim: Rig, tmp_path: Path, query: str, body: Any, left: list[str]) -> None:
    answer = await shim.call("DELETE", f"{REVERT}?id={TEMPLATE}{query}", json=body)
    assert answer == {"status": "OK", "message": "", "body": None}
    assert in_registry(tmp_path) == {TEMPLATE: left}
    # The AnkaTemplate has followed before the answer was sent, so everything else is right as well.
    assert await tags(shim) == left
    mirrored = shim.services.stores.templates.get(TEMPLATE)
    assert mirrored is not None
    assert [version.tag for version in mirrored.status.versions] == left
    assert (await shim.start(tag="v2"))["message"] == "No such tag v2"
    if not left:
        assert (await shim.start())["message"] == "the registry has no version of template macos"


async def test_delete(shim: Rig, tmp_path: Path) -> None:
    assert await shim.call("DELETE", f"{VM}?id={TEMPLATE}") == {"status": "OK", "message": ""}
    assert in_registry(tmp_path) == {}
    assert await shim.body("GET", VM) == []
    assert await shim.message("GET", f"{VM}?id={TEMPLATE}") == "Not found"
    assert (await shim.start())["message"] == "VM not in the registry"
    assert (await shim.start(vmid="macos"))["message"] == "VM not in the registry"


@pytest.mark.parametrize(("path", "says_so"), [(f"{VM}?id={TEMPLATE}", True), (f"{REVERT}?id={TEMPLATE}", False)])
async def test_a_deletion_is_said_on_the_object_in_the_write_that_there_is(shim: Rig, path: str, says_so: bool) -> None:
    """For the event log, which the operator's leader writes."""
    await shim.call("DELETE", path)
    (patch,) = [seen for seen in shim.api.seen if seen.verb == "patch" and "ankatemplates" in seen.path]
    annotations = patch.body["metadata"]["annotations"]
    assert (REGISTRY_DELETION in annotations) is says_so
    assert READ_REQUEST in annotations


async def test_what_the_registry_refuses_is_told_in_its_words(shim: Rig, tmp_path: Path) -> None:
    assert await shim.message("DELETE", f"{REVERT}?id={TEMPLATE}&tag=nope") == "No such tag nope"
    assert await shim.message("DELETE", f"{VM}?id=nope") == "nope: not found"
    assert await shim.message("DELETE", VM) == "id: is required, the id of a template"
    assert await shim.message("DELETE", REVERT) == "id: is required, the id of a template"
    assert "exclude each other" in await shim.message("DELETE", f"{REVERT}?id={TEMPLATE}&tag=v1&number=0")
    assert in_registry(tmp_path) == {TEMPLATE: ["v1", "v2"]}
    assert await tags(shim) == ["v1", "v2"]


async def test_a_registry_that_is_away_or_not_there_at_all() -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    async with rig(registry_url=url) as shim:
        says = await shim.message("DELETE", f"{VM}?id={TEMPLATE}")
        assert says.startswith(f"cannot delete the template: registry {url} does not answer")
        assert await tags(shim) == ["v1", "v2"]
    async with rig() as shim:
        nothing = "the API shim was started without --registry-url"
        assert await shim.message("DELETE", f"{VM}?id={TEMPLATE}") == f"cannot delete the template: {nothing}"
        assert await shim.message("DELETE", f"{REVERT}?id={TEMPLATE}") == f"cannot revert the template: {nothing}"
        assert await shim.message("GET", "/api/v1/registry/disk") == f"the registry's disk is not known: {nothing}"


@pytest.mark.parametrize("after", [{"status": "FAIL", "message": "database is locked"}, ["odd"]])
async def test_a_revert_after_which_nothing_can_be_read(after: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is done, and nobody says what is left: the request succeeds, and the AnkaTemplate is shown."""

    async def revert(_: web.Request) -> web.Response:
        return web.json_response({"status": "OK", "message": "", "body": None})

    async def read(_: web.Request) -> web.Response:
        return web.json_response(after)

    app = web.Application()
    app.router.add_delete("/registry/revert", revert)
    app.router.add_get("/registry/v2/vm", read)
    async with TestServer(app) as server, rig(registry_url=str(server.make_url("")), write_seconds=0.5) as shim:
        assert await shim.call("DELETE", f"{REVERT}?id={TEMPLATE}") == {"status": "OK", "message": "", "body": None}
        assert await tags(shim) == ["v1", "v2"]
    assert "the AnkaTemplate does not follow the registry: not within 0.5 s" in caplog.text
