"""Pages of other sites that may use the API, and what they are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Scope

from anka_shim.http.authentication import ANONYMOUS, OpenAccess, Principal
from anka_shim.http.cross_origin import CrossOriginPolicy, is_preflight, parse_origins
from anka_shim.http.rights import Right
from anka_shim.settings import ShimSettings
from support.shim_rig import TEMPLATE, rig

PORTAL = "https://portal.example.com"
CROSS = {"Origin": PORTAL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
PREFLIGHT = CROSS | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", set()),
        (" , ", set()),
        (PORTAL, {PORTAL}),
        ("HTTPS://Portal.example.com, http://[::1]:8080", {PORTAL, "http://[::1]:8080"}),
    ],
)
def test_origins(text: str, origins: set[str]) -> None:
    assert parse_origins(text) == origins


@pytest.mark.parametrize(
    "text",
    ["*", "null", "true", "portal.example.com", f"{PORTAL}/", f"{PORTAL}/x", "ftp://x", "https://*.x", "file://"],
)
def test_what_is_no_origin(text: str) -> None:
    with pytest.raises(ValueError, match="must be origins, such as https://"):
        ShimSettings(_cli_parse_args=False, allow_cors=text)


@pytest.mark.parametrize(
    ("origin", "found"),
    [
        (PORTAL.encode(), True),
        (b"HTTPS://PORTAL.example.com", True),
        (b"https://portal.example.com.evil", False),
        (b"https://portal.example.com:444", False),
        (b"http://portal.example.com", False),
        (b"null", False),
        (b"", False),
    ],
)
def test_only_those_that_are_named(origin: bytes, found: bool) -> None:
    policy = CrossOriginPolicy([PORTAL])
    assert policy.find_origin({b"origin": origin}) == (origin if found else None)
    assert policy.find_origin({}) is None
    assert CrossOriginPolicy().find_origin({b"origin": origin}) is None


@given(st.binary(max_size=40))
def test_no_other_text_is_an_origin(origin: bytes) -> None:
    assert CrossOriginPolicy([PORTAL]).find_origin({b"origin": origin}) is None


def test_a_preflight_asks_for_a_method() -> None:
    assert is_preflight("OPTIONS", {b"access-control-request-method": b"PUT"})
    assert not is_preflight("OPTIONS", {})
    assert not is_preflight("GET", {b"access-control-request-method": b"PUT"})


async def test_off_by_default() -> None:
    async with rig() as shim:
        for method, headers in (("OPTIONS", PREFLIGHT), ("GET", CROSS), ("POST", CROSS)):
            answer = await shim.http.request(method, "/api/v1/vm", headers=headers)
            assert answer.status_code == 403
            assert not {name for name in answer.headers if name.startswith("access-control")}
            assert "vary" not in answer.headers


async def test_a_page_that_may() -> None:
    async with rig(allow_cors=PORTAL) as shim:
        answer = await shim.http.post("/api/v1/vm", json={"vmid": TEMPLATE}, headers=CROSS)
        assert (answer.status_code, answer.json()["status"]) == (200, "OK")
        assert answer.headers["access-control-allow-origin"] == PORTAL
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers
        refused = await shim.http.get("/api/v1/nothing", headers=CROSS)
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (404, PORTAL)


async def test_another_page_and_another_name_may_not() -> None:
    async with rig(allow_cors=PORTAL, allowed_hosts="shim") as shim:
        for headers in (CROSS | {"Origin": "https://evil"}, CROSS | {"Host": "evil.test"}):
            answer = await shim.http.post("/api/v1/vm", json={"vmid": TEMPLATE}, headers=headers)
            assert answer.status_code == 403
        assert await shim.body("GET", "/api/v1/vm") == []
        plain = await shim.http.get("/api/v1/vm")
        assert "access-control-allow-origin" not in plain.headers
        assert plain.headers["vary"] == "Origin"


async def test_a_preflight_needs_no_login_and_what_follows_does(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789")
    async with rig(allow_cors=PORTAL, enable_auth=True, root_token_file=token) as shim:
        asked = await shim.http.options("/api/v1/vm", headers=PREFLIGHT)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == PORTAL
        assert asked.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, DELETE"
        assert asked.headers["access-control-allow-headers"] == "Authorization, Content-Type, X-Request-Id"
        assert asked.headers["access-control-max-age"] == "600"
        for headers in (CROSS, {"Access-Control-Request-Method": "POST"}):
            method = "GET" if headers is CROSS else "OPTIONS"
            assert (await shim.http.request(method, "/api/v1/vm", headers=headers)).status_code == 401
        answer = await shim.http.get("/api/v1/vm", headers=CROSS, auth=("root", "0123456789"))
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PORTAL)


class Watcher(OpenAccess):
    """Admits everything, and remembers what came with it."""

    def __init__(self) -> None:
        self.cookies: list[list[bytes]] = []

    async def admit(self, scope: Scope, right: Right) -> Principal:
        self.cookies.append([value for name, value in scope["headers"] if name == b"cookie"])
        return ANONYMOUS


async def test_the_cookies_of_a_person_are_no_credentials_of_the_page() -> None:
    watcher = Watcher()
    async with rig(allow_cors=PORTAL, policy=watcher) as shim:
        for headers in (CROSS, {}):
            await shim.http.get("/api/v1/vm", headers={"Cookie": "session=1", **headers})
    assert watcher.cookies == [[], [b"session=1"]]
