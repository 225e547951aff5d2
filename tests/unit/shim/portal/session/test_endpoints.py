"""Logins of people at the page: with what they log in, and when a session ends."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from anka_shim.access.browser_session import SESSION_COOKIE
from anka_shim.portal.session.logins import NEEDS_HTTPS
from support.api_keys import ROOT, TOKEN, add_key, login, with_keys
from support.jwt import raw_token
from support.kube_identities import KubeIdentities
from support.shim_rig import Rig, rig

PAGE = {"X-Anka-Portal": "1", "Origin": "https://shim", "Host": "shim"}
VM = "/api/v1/vm"


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Rig]:
    async with with_keys(tmp_path, enable_authorization=True, enable_kubernetes_tokens=True) as found:
        yield found


async def log_in(shim: Rig, headers: dict[str, str], **more: str) -> httpx.Response:
    shim.http.cookies.clear()
    return await shim.http.post("/portal/v1/login", headers={**PAGE, **headers, **more})


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    text = answer.headers["set-cookie"]
    assert text.startswith(f"{SESSION_COOKIE}=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"):
        assert part in text, text
    assert "Domain" not in text
    return {"Cookie": text.partition(";")[0]}


async def code(shim: Rig, method: str, path: str, headers: dict[str, str], **options: Any) -> int:
    shim.http.cookies.clear()
    return (await shim.http.request(method, path, headers=headers, **options)).status_code


async def test_the_login_page_learns_which_ways_there_are(shim: Rig) -> None:
    answer = await shim.http.get("/portal/v1/login", headers={"Host": "shim"})
    assert answer.json()["body"] == {"root": True, "apiKeys": True, "kubernetesTokens": True, "oidc": None}


async def test_root(shim: Rig, tmp_path: Path) -> None:
    answer = await log_in(shim, ROOT)
    body = answer.json()["body"]
    assert (body["user"], body["login"], body["rights"]) == ("root", "root", None)
    assert body["features"]["apiKeys"] is True
    cookie = cookie_of(answer)
    assert TOKEN not in answer.headers["set-cookie"]
    assert await code(shim, "GET", VM, cookie) == 200
    session = await shim.http.get("/portal/v1/session", headers=cookie)
    assert session.json()["body"] == body
    # A write needs a page of ours behind it.
    assert await code(shim, "DELETE", VM, cookie, json={"id": "x"}) == 403
    assert await code(shim, "DELETE", VM, {**cookie, "Origin": "https://evil"}, json={"id": "x"}) == 403
    assert await code(shim, "DELETE", VM, {**cookie, **PAGE}, json={"id": "x"}) == 200
    # Another root token is another root.
    (tmp_path / "root-token").write_text("another root token of the tests")
    shim.clock.advance(60)
    assert await code(shim, "GET", VM, cookie) == 401


async def test_a_session_ends_after_half_a_day(shim: Rig) -> None:
    cookie = cookie_of(await log_in(shim, ROOT))
    shim.clock.advance(43_199)
    assert await code(shim, "GET", VM, cookie) == 200
    shim.clock.advance(1)
    assert await code(shim, "GET", VM, cookie) == 401


async def test_an_api_key(shim: Rig) -> None:
    await add_key(shim, ttl=86_400)
    answer = await log_in(shim, await login(shim.http))
    assert (answer.json()["body"]["user"], answer.json()["body"]["login"]) == ("ci", "apiKey")
    assert answer.json()["body"]["rights"] == []
    cookie = cookie_of(answer)
    # Longer than the session of a machine.
    shim.clock.advance(3600)
    assert await code(shim, "GET", "/api/v1/status", cookie) == 200
    assert await code(shim, "GET", VM, cookie) == 403
    deleted = await shim.http.request("DELETE", "/api/v1/apikey", json={"id": "ci"}, headers=ROOT)
    assert deleted.json()["status"] == "OK"
    assert await code(shim, "GET", "/api/v1/status", cookie) == 401
    # Another key of the same id is another one.
    await add_key(shim)
    assert await code(shim, "GET", "/api/v1/status", cookie) == 401


async def test_a_token_of_the_cluster(shim: Rig) -> None:
    known = KubeIdentities()
    known.serve(shim.api)
    token = known.add("builder")
    known.allow("builder", ("list", "ankainstances", ""))
    answer = await log_in(shim, {"Authorization": f"Bearer {token}"})
    body = answer.json()["body"]
    assert (body["login"], body["rights"]) == ("kubernetes", ["list_vms"])
    cookie = cookie_of(answer)
    assert token not in cookie["Cookie"]
    assert await code(shim, "GET", VM, cookie) == 200
    assert await code(shim, "GET", "/api/v1/node", cookie) == 403


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 401),
        ({"Authorization": "Basic " + base64.b64encode(b"root:wrong").decode()}, 401),
        ({"Authorization": "Bearer nonsense"}, 401),
        ({"Authorization": f"Bearer {raw_token({'iss': 'x', 'sub': 'y'})}"}, 401),
    ],
)
async def test_wrong_credentials(shim: Rig, headers: dict[str, str], expected: int) -> None:
    known = KubeIdentities()
    known.serve(shim.api)
    answer = await log_in(shim, headers)
    assert answer.status_code == expected
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "host", "is_refused"),
    [
        ("http://shim", "shim", True),
        ("", "shim", True),
        ("http://127.0.0.1:8090", "127.0.0.1:8090", False),
        ("http://localhost:8090", "localhost:8090", False),
        ("http://[::1]:8090", "[::1]:8090", False),
        ("https://shim", "shim", False),
    ],
)
async def test_where_a_browser_would_drop_the_cookie(shim: Rig, origin: str, host: str, is_refused: bool) -> None:
    headers = {"X-Anka-Portal": "1", "Host": host, **({"Origin": origin} if origin else {})}
    answer = await shim.http.post("/portal/v1/login", headers={**headers, **ROOT})
    assert answer.status_code == 200
    assert (answer.json()["message"] == NEEDS_HTTPS) is is_refused
    assert ("set-cookie" in answer.headers) is not is_refused


async def test_a_form_of_another_site(shim: Rig) -> None:
    for path in ("login", "logout"):
        answer = await shim.http.post(f"/portal/v1/{path}", headers=ROOT)
        assert (answer.status_code, answer.json()["message"]) == (400, "the header X-Anka-Portal: 1 is needed")
        answer = await shim.http.post(f"/portal/v1/{path}", headers={**ROOT, **PAGE, "Origin": "https://evil"})
        assert answer.status_code == 403


async def test_logout(shim: Rig) -> None:
    answer = await shim.http.post("/portal/v1/logout", headers=PAGE)
    assert answer.json() == {"status": "OK", "message": ""}
    assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_where_nobody_has_to_log_in() -> None:
    async with rig() as shim:
        answer = await shim.http.post("/portal/v1/login", headers={**PAGE, **ROOT})
        assert answer.json() == {"status": "FAIL", "message": "nobody has to log in here"}
        session = await shim.http.get("/portal/v1/session")
        assert session.json()["body"]["login"] == "none"
        assert session.json()["body"]["rights"] is None


async def test_without_a_login(shim: Rig) -> None:
    answer = await shim.http.get("/portal/v1/session")
    assert answer.status_code == 401
    assert answer.json() == {"status": "FAIL", "message": "Authentication Required"}
