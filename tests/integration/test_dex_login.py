"""A provider that others have written: people log in with a browser at Dex, by the code flow with PKCE."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from clients.credential import basic
from support.checkers import find_dex
from support.machine_provider import MACHINE, PORTAL, MachineProvider, running_dex
from support.shim_rig import Rig, rig

pytestmark = pytest.mark.integration

SITE = "https://anka.example"
VMS = "/api/v1/vm"
WHO = "authors"
"""The group of all whom Dex's mock connector lets in."""


@pytest.fixture
async def dex(tmp_path: Path) -> AsyncIterator[MachineProvider]:
    binary = find_dex()
    if binary is None:
        pytest.skip("no dex here: make all-checkers")
    with running_dex(binary, tmp_path, f"{SITE}/oidc/v1/callback") as found:
        yield found


@pytest.fixture
async def shim(dex: MachineProvider, tmp_path: Path) -> AsyncIterator[Rig]:
    for name, content in (("root", "a root token"), ("secret", PORTAL.secret), ("seal", "s" * 32)):
        (tmp_path / name).write_text(content)
    async with rig(
        enable_auth=True,
        enable_authorization=True,
        root_token_file=tmp_path / "root",
        oidc_provider_url=dex.url,
        oidc_client_id=PORTAL.id,
        oidc_audiences=MACHINE.id,
        oidc_client_secret_file=tmp_path / "secret",
        seal_key_file=tmp_path / "seal",
        site_url=SITE,
    ) as found:
        # Dex has the real time.
        found.clock.advance(time.time() - found.clock.now().timestamp())
        await permit(found, WHO)
        yield found


async def permit(shim: Rig, group: str) -> None:
    seen = asyncio.Event()
    shim.services.stores.permission_groups.subscribe(lambda *_: seen.set())
    spec = {"displayName": group, "controllerPermissions": ["list_vms"]}
    shim.api.put("permissiongroups", group, "", spec=spec)
    await asyncio.wait_for(seen.wait(), 60)


async def walk(url: str) -> str:
    """The query with which the provider sends the browser back; the person says yes to all."""
    async with httpx.AsyncClient(timeout=60) as browser:
        while True:
            answer = await browser.get(url)
            assert answer.status_code in (302, 303), answer.text
            url = str(answer.url.join(answer.headers["location"]))
            if url.startswith(f"{SITE}/oidc/v1/callback?"):
                return urlsplit(url).query


async def test_a_person_logs_in_and_has_the_rights_of_their_group(shim: Rig) -> None:
    begun = await shim.http.get("/oidc/v1/login")
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    query = await walk(begun.headers["location"])
    back = await shim.http.get(f"/oidc/v1/callback?{query}", headers=held(begun))
    assert (back.status_code, back.headers["location"]) == (302, "/"), back.text
    assert (await shim.http.get(VMS, headers=held(back))).status_code == 200
    assert (await shim.http.get("/api/v1/node", headers=held(back))).status_code == 403
    # The code was good once.
    again = await shim.http.get(f"/oidc/v1/callback?{query}", headers=held(begun))
    assert "__Host-anka-session" not in again.headers.get("set-cookie", "")


async def test_a_code_is_worth_nothing_in_another_browser(shim: Rig) -> None:
    begun, other = [await shim.http.get("/oidc/v1/login") for _ in range(2)]
    query = await walk(begun.headers["location"])
    answer = await shim.http.get(f"/oidc/v1/callback?{query}", headers=held(other))
    assert "__Host-anka-session" not in answer.headers.get("set-cookie", "")


def held(answer: httpx.Response) -> dict[str, str]:
    cookies = [line.split(";")[0] for line in answer.headers.get_list("set-cookie")]
    return {"Cookie": "; ".join(cookies)}


async def test_a_machine_has_the_rights_of_its_groups_alone(shim: Rig, dex: MachineProvider) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{dex.url}/token",
            data={"grant_type": "client_credentials", "scope": "profile groups"},
            headers={"Authorization": basic(MACHINE.id, MACHINE.secret)},
        )
    token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    # Its name is a group's as well, and gives it nothing.
    await permit(shim, "jenkins")
    assert (await shim.http.get(VMS, headers=token)).status_code == 403
    await permit(shim, "ci")
    assert (await shim.http.get(VMS, headers=token)).status_code == 200
    body, signature = token["Authorization"].rsplit(".", 1)
    spoilt = {"Authorization": f"{body}.{signature[::-1]}"}
    assert (await shim.http.get(VMS, headers=spoilt)).status_code == 401
