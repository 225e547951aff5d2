"""401 without valid credentials, 403 without the right, and what needs neither."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from anka_shim.access.login_limiter import MOST_FAILURES
from anka_shim.http.authentication import routes
from anka_shim.http.rights import RIGHTS, Right
from support.routes import fill
from support.shim_rig import Rig, rig

TOKEN = "pass:word with blanks, é and %"
UNAUTHENTICATED = b'{"status":"FAIL","message":"Authentication Required"}\n'


def basic(user: str, token: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()}


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Rig]:
    file = tmp_path / "root-token"
    file.write_text(f"{TOKEN}\n")
    async with rig(enable_auth=True, root_token_file=file) as found:
        yield found


async def test_every_route_by_the_credentials_that_it_needs(shim: Rig) -> None:
    wrong = (None, basic("root", "not the token"), basic("admin", TOKEN), {"Authorization": "Bearer null"})
    for method, path, _ in routes(shim.api_app):
        is_open = RIGHTS[f"{method} {path}"] in (Right.NONE, Right.PEER)
        url = fill(path)
        for headers in wrong:
            answer = await shim.http.request(method, url, headers=headers)
            assert (answer.status_code == 401) != is_open, f"{method} {path} with {headers}"
            if not is_open:
                assert answer.content == UNAUTHENTICATED
                assert len(answer.content) == 54
                assert "www-authenticate" not in answer.headers
        for user in ("root", ""):
            answer = await shim.http.request(method, url, headers=basic(user, TOKEN))
            assert answer.status_code not in (401, 403), f"{method} {path}"
            kept_by_nobody = "no-store" in answer.headers.get("cache-control", "")
            # A file of the portal that is not here may be at another replica: a cache must not keep that either.
            assert kept_by_nobody or is_open, f"{method} {path}"
            assert not (kept_by_nobody and is_open and answer.is_success), f"{method} {path}"


async def test_what_is_no_route_says_nothing_without_credentials(shim: Rig) -> None:
    for method, path in (("GET", "/nope"), ("PATCH", "/api/v1/vm"), ("OPTIONS", "/api/v1/vm"), ("GET", "/admin/x")):
        assert (await shim.http.request(method, path)).status_code == 401
    assert (await shim.http.get("/nope", headers=basic("root", TOKEN))).status_code == 404


async def test_a_body_does_not_count_before_the_login(shim: Rig) -> None:
    answer = await shim.http.post("/api/v1/vm", content=b"x" * 2_000_000)
    assert answer.status_code == 401


async def test_guessing_is_limited_and_the_probes_are_not(shim: Rig) -> None:
    def refused(reason: str) -> float:
        return REGISTRY.get_sample_value("anka_shim_refused_logins_total", {"reason": reason}) or 0.0

    before = refused("wrong"), refused("limited")
    for number in range(MOST_FAILURES):
        assert (await shim.http.get("/api/v1/vm", headers=basic("root", f"guess {number}"))).status_code == 401
    answer = await shim.http.get("/api/v1/vm", headers=basic("root", TOKEN))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    for path in ("/livez", "/readyz", "/config/v1/auth", "/metrics"):
        assert (await shim.http.get(path, headers=basic("root", "guess"))).status_code == 200
    assert (refused("wrong") - before[0], refused("limited") - before[1]) == (MOST_FAILURES, 1)


async def test_the_secret_is_in_no_log(shim: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await shim.http.get("/api/v1/vm", headers=basic("root", "a wrong secret"))
    await shim.http.get("/api/v1/vm", headers=basic("root", TOKEN))
    text = "\n".join(str(vars(record)) for record in caplog.records)
    assert "login refused" in text
    for secret in (
        TOKEN,
        "a wrong secret",
        *(basic("root", one)["Authorization"] for one in (TOKEN, "a wrong secret")),
    ):
        assert secret not in text
