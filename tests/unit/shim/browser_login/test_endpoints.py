"""People log in with a browser, at a provider that signs for real. Nothing is stored: any replica goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from anka_shim.access.browser_session import LONGEST_COOKIE, SESSION_COOKIE
from anka_shim.access.oidc.code_flow import ATTEMPT_SECONDS
from anka_shim.browser_login.endpoints import ATTEMPT_COOKIE
from support.oidc_provider import OidcProviderServer
from support.shim_rig import Rig, rig

SITE = "https://anka.example.com"
STATUS = "/api/v1/status"
OWN = {"Host": "anka.example.com", "Origin": SITE}


@pytest.fixture
async def provider() -> AsyncIterator[OidcProviderServer]:
    async with OidcProviderServer().serve() as served:
        yield served


@asynccontextmanager
async def at(provider: OidcProviderServer, folder: Path, **more: Any) -> AsyncIterator[Rig]:
    for name, content in (("root", "a root token"), ("secret", "client secret/"), ("seal", "s" * 32)):
        (folder / name).write_text(content)
    async with rig(
        enable_auth=True,
        enable_authorization=True,
        root_token_file=folder / "root",
        oidc_provider_url=provider.url,
        oidc_client_id="anka",
        oidc_client_secret_file=folder / "secret",
        seal_key_file=folder / "seal",
        site_url=SITE,
        **more,
    ) as found:
        seen = asyncio.Event()
        found.services.stores.permission_groups.subscribe(lambda *_: seen.set())
        permissions = ["list_vms", "start_vm"]
        found.api.put("permissiongroups", "g", "", spec={"displayName": "ios", "controllerPermissions": permissions})
        await asyncio.wait_for(seen.wait(), 20)
        yield found


@pytest.fixture
async def shim(provider: OidcProviderServer, tmp_path: Path) -> AsyncIterator[Rig]:
    async with at(provider, tmp_path) as found:
        yield found


def cookies(answer: httpx.Response) -> dict[str, str]:
    found = {}
    for line in answer.headers.get_list("set-cookie"):
        value, *attributes = line.split("; ")
        name, _, text = value.partition("=")
        found[name] = text
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(attributes)
        assert not any(one.startswith("Domain") for one in attributes)
    return found


async def begin(shim: Rig) -> tuple[str, dict[str, str]]:
    answer = await shim.http.get("/oidc/v1/login")
    assert answer.status_code == 302
    return answer.headers["location"], cookies(answer)


async def come_back(shim: Rig, query: str, held: dict[str, str]) -> httpx.Response:
    shim.http.cookies.clear()
    return await shim.http.get(f"/oidc/v1/callback?{query}", headers=carry(held))


def carry(held: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in held.items())}


async def log_in(shim: Rig, provider: OidcProviderServer, **claims: Any) -> dict[str, str]:
    """The header of a browser that is logged in."""
    url, held = await begin(shim)
    query = provider.grant(url, provider.claims(shim.clock.now().timestamp(), **claims))
    answer = await come_back(shim, query, held)
    assert (answer.status_code, answer.headers["location"]) == (302, "/"), answer.text
    given = cookies(answer)
    assert given[ATTEMPT_COOKIE] in ("", '""')
    return carry({SESSION_COOKIE: given[SESSION_COOKIE]})


async def test_a_login_at_one_replica_counts_at_another_and_asks_the_provider_no_more(
    shim: Rig, provider: OidcProviderServer, tmp_path: Path
) -> None:
    async with at(provider, tmp_path) as other:
        url, held = await begin(shim)
        query = provider.grant(url, provider.claims(shim.clock.now().timestamp()))
        answer = await come_back(other, query, held)
        session = carry({SESSION_COOKIE: cookies(answer)[SESSION_COOKIE]})
        asked = len(provider.requests)
        for one in (shim, other) * 5:
            assert (await one.http.get(STATUS, headers=session)).status_code == 200
        assert len(provider.requests) == asked


async def test_the_session_ends_with_the_token(shim: Rig, provider: OidcProviderServer) -> None:
    session = await log_in(shim, provider)
    shim.clock.advance(599)
    assert (await shim.http.get(STATUS, headers=session)).status_code == 200
    shim.clock.advance(1)
    assert (await shim.http.get(STATUS, headers=session)).status_code == 401


async def test_an_authorization_header_decides_alone(shim: Rig, provider: OidcProviderServer) -> None:
    session = await log_in(shim, provider)
    assert (await shim.http.get(STATUS, headers={**session, "Authorization": "Bearer x"})).status_code == 401


async def test_a_changed_session_is_none(shim: Rig, provider: OidcProviderServer) -> None:
    value = (await log_in(shim, provider))["Cookie"].partition("=")[2]
    packed, _, sealed = value.partition(".")
    for forged in (packed, f"{packed}.", f".{sealed}", f"{packed}A.{sealed}", f"{packed}.A{sealed[1:]}", "é"):
        headers = {b"Cookie": f"{SESSION_COOKIE}={forged}".encode()}
        assert (await shim.http.get(STATUS, headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (OWN, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({**OWN, "Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "anka.example.com", "Origin": "https://evil.example.com"}, 403),
        ({"Host": "anka.example.com", "Origin": "null"}, 403),
    ],
)
async def test_only_our_own_pages_change_something(
    headers: dict[str, str], code: int, shim: Rig, provider: OidcProviderServer
) -> None:
    session = await log_in(shim, provider)
    answer = await shim.http.post("/api/v1/vm", json={"vmid": "x"}, headers={**session, **headers})
    assert answer.status_code == code
    assert (await shim.http.get("/api/v1/vm", headers=session)).status_code == 200
    assert (await shim.http.get("/api/v1/node", headers=session)).status_code == 403, "no group of theirs has the right"


async def test_a_callback_of_another_browser(shim: Rig, provider: OidcProviderServer) -> None:
    """Who lures somebody to it would log them in as themselves."""
    url, held = await begin(shim)
    _, of_another = await begin(shim)
    query = provider.grant(url, provider.claims(shim.clock.now().timestamp()))
    for wrong in ({}, of_another, {ATTEMPT_COOKIE: "x"}):
        assert (await come_back(shim, query, wrong)).status_code == 400
    assert (await come_back(shim, query, held)).status_code == 302
    assert (await come_back(shim, query, held)).status_code == 403, "a code is good once"


async def test_too_late(shim: Rig, provider: OidcProviderServer) -> None:
    url, held = await begin(shim)
    query = provider.grant(url, provider.claims(shim.clock.now().timestamp()))
    shim.clock.advance(ATTEMPT_SECONDS)
    assert (await come_back(shim, query, held)).status_code == 400


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "another"}, {"aud": "jenkins"}, {"aud": "jenkins", "azp": "anka"}, {"groups": None}, {"exp": 1}],
)
async def test_a_token_that_is_not_for_this_login(claims: Any, shim: Rig, provider: OidcProviderServer) -> None:
    url, held = await begin(shim)
    query = provider.grant(url, provider.claims(shim.clock.now().timestamp(), **claims))
    answer = await come_back(shim, query, held)
    assert answer.status_code == 403
    assert SESSION_COOKIE not in cookies(answer)


async def test_the_provider_refuses_or_is_away(shim: Rig, provider: OidcProviderServer) -> None:
    url, held = await begin(shim)
    assert (await come_back(shim, "error=access_denied&state=x", held)).status_code == 403
    query = provider.grant(url, provider.claims(shim.clock.now().timestamp()))
    provider.is_away = True
    assert (await come_back(shim, query, held)).status_code == 503


async def test_many_groups(shim: Rig, provider: OidcProviderServer) -> None:
    session = await log_in(shim, provider, groups=[f"team {number}" for number in range(500)])
    assert len(session["Cookie"]) < LONGEST_COOKIE + 40
    assert (await shim.http.get(STATUS, headers=session)).status_code == 200


async def test_logging_out(shim: Rig, provider: OidcProviderServer) -> None:
    await log_in(shim, provider)
    answer = await shim.http.post("/oidc/v1/logout")
    assert answer.json()["status"] == "OK"
    assert cookies(answer)[SESSION_COOKIE] in ("", '""')


async def test_without_a_secret_there_is_no_such_thing() -> None:
    async with rig() as shim:
        for method, path in (("GET", "/oidc/v1/login"), ("GET", "/oidc/v1/callback"), ("POST", "/oidc/v1/logout")):
            assert (await shim.http.request(method, path)).status_code == 404
