"""The handshake, as the old clients do it, and what ends a session."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from anka_runtime.secret_file import REREAD_SECONDS
from anka_shim.access.handshake import SECRET_SECONDS
from anka_shim.access.login_limiter import MOST_FAILURES
from anka_shim.http.authentication import PRINCIPAL, Principal
from support.api_keys import ROOT, SEAL_KEY, add_key, add_object, bearer, hand, login, with_keys
from support.shim_rig import Rig, rig

UNAUTHENTICATED = b'{"status":"FAIL","message":"Authentication Required"}\n'
STATUS = "/api/v1/status"
WRITES = ("create", "patch", "update", "delete", "get")


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Rig]:
    async with with_keys(tmp_path) as found:
        await add_key(found)
        yield found


async def is_in(shim: Rig, headers: dict[str, str]) -> bool:
    answer = await shim.http.get(STATUS, headers=headers)
    assert answer.status_code in (200, 401)
    if answer.status_code == 401:
        assert answer.content == UNAUTHENTICATED
    return answer.status_code == 200


async def test_the_bytes_of_the_handshake(shim: Rig) -> None:
    raw = json.dumps({"id": "ci"})
    answer = await shim.http.post(
        "/tap/v1/hand", content=raw, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert re.fullmatch(rb"[A-Za-z0-9+/]{342}==", answer.content), "344 characters, nothing else"
    assert answer.headers["cache-control"] == "no-store"
    answer = await shim.http.post("/tap/v1/shake", json={"id": "ci", "secret": await hand(shim.http)})
    session = answer.json()
    assert session.keys() == {"id", "data"}
    assert session["id"] == session["data"]["userName"] == "ci"
    assert session["data"].keys() == {"userName", "sessionId", "token"}
    pretty = json.dumps(dict(reversed(session["data"].items())), indent=2).encode()
    assert await is_in(shim, {"Authorization": "bearer " + base64.b64encode(pretty).decode()})


async def test_a_secret_is_good_once_and_not_for_long(shim: Rig) -> None:
    secret, late = await hand(shim.http), await hand(shim.http)
    asked = {"id": "ci", "secret": secret}
    assert (await shim.http.post("/tap/v1/shake", json=asked)).status_code == 200
    assert (await shim.http.post("/tap/v1/shake", json=asked)).content == UNAUTHENTICATED
    shim.clock.advance(SECRET_SECONDS)
    answer = await shim.http.post("/tap/v1/shake", json={"id": "ci", "secret": late})
    assert (answer.status_code, answer.content) == (401, UNAUTHENTICATED)


@pytest.mark.parametrize(
    "body", [{}, {"id": None}, {"id": "nobody"}, {"id": 1}, {"id": ["ci"]}, {"id": "x" * 9999}, {"id": "ci\0"}]
)
async def test_who_is_unknown(shim: Rig, body: dict[str, Any]) -> None:
    for path in ("hand", "shake"):
        answer = await shim.http.post(f"/tap/v1/{path}", json={**body, "secret": "x"})
        assert (answer.status_code, answer.content) == (401, UNAUTHENTICATED)


@pytest.mark.parametrize("secret", [None, 1, {}, "", "null", "x" * 50, "é" * 50, "x" * 9999])
async def test_a_wrong_secret(shim: Rig, secret: Any) -> None:
    answer = await shim.http.post("/tap/v1/shake", json={"id": "ci", "secret": secret})
    assert (answer.status_code, answer.content) == (401, UNAUTHENTICATED)


@pytest.mark.parametrize("raw", [b"null", b"[]", b"{", b"\xff\xfe", b"[" * 3000])
async def test_what_is_no_object_is_no_success(shim: Rig, raw: bytes) -> None:
    for path in ("hand", "shake"):
        answer = await shim.http.post(f"/tap/v1/{path}", content=raw)
        assert answer.status_code == 400
        assert answer.json()["status"] == "FAIL"


async def test_a_secret_or_session_of_another_id_is_worth_nothing(shim: Rig) -> None:
    await add_key(shim, "other")
    answer = await shim.http.post("/tap/v1/shake", json={"id": "other", "secret": await hand(shim.http)})
    assert answer.status_code == 401
    answer = await shim.http.post("/tap/v1/shake", json={"id": "ci", "secret": await hand(shim.http)})
    data = answer.json()["data"]
    assert not await is_in(shim, bearer({**data, "userName": "other"}))
    assert not await is_in(shim, bearer({**data, "sessionId": "another"}))
    assert not await is_in(shim, bearer({**data, "token": await hand(shim.http)}))
    assert not await is_in(shim, bearer(None))
    assert await is_in(shim, bearer(data))


async def test_a_session_ends_after_its_time_and_use_does_not_prolong_it(shim: Rig) -> None:
    session = await login(shim.http)
    shim.clock.advance(299)
    assert await is_in(shim, session)
    shim.clock.advance(1)
    assert not await is_in(shim, session)
    assert await is_in(shim, await login(shim.http))


async def test_a_key_that_expires_ends_its_sessions(shim: Rig) -> None:
    shim.clock.advance(3500)
    session = await login(shim.http)
    shim.clock.advance(99)
    assert await is_in(shim, session)
    shim.clock.advance(1)
    assert not await is_in(shim, session)
    assert (await shim.http.post("/tap/v1/hand", json={"id": "ci"})).status_code == 401


async def test_a_deleted_key_ends_its_sessions_and_a_new_one_does_not_revive_them(shim: Rig) -> None:
    session, secret = await login(shim.http), await hand(shim.http)
    await shim.http.request("DELETE", "/api/v1/apikey", json={"id": "ci"}, headers=ROOT)
    assert not await is_in(shim, session)
    await add_key(shim)
    assert not await is_in(shim, session)
    assert (await shim.http.post("/tap/v1/shake", json={"id": "ci", "secret": secret})).status_code == 401


async def test_the_principal_has_the_groups_of_this_moment(shim: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Principal] = []
    inner = shim.gate._app

    async def note(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope[PRINCIPAL])
        await inner(scope, receive, send)

    monkeypatch.setattr(shim.gate, "_app", note)
    session = await login(shim.http)
    await shim.http.get(STATUS, headers=session)
    await shim.http.put("/api/v1/apikey", json={"id": "ci", "groups": ["h", "i"]}, headers=ROOT)
    await shim.http.get(STATUS, headers=session)
    assert [(one.name, set(one.groups)) for one in seen if one.name == "ci"] == [
        ("ci", {"g", "ci"}),
        ("ci", {"h", "i", "ci"}),
    ]


async def test_many_sessions_of_one_id_at_once_and_no_write(shim: Rig) -> None:
    before = [shim.api.count(verb) for verb in WRITES]
    secrets = await asyncio.gather(*(hand(shim.http) for _ in range(200)))
    shaken = await asyncio.gather(
        *(shim.http.post("/tap/v1/shake", json={"id": "ci", "secret": secret}) for secret in secrets)
    )
    sessions = [bearer(answer.json()["data"]) for answer in shaken]
    assert len({session["Authorization"] for session in sessions}) == 200
    assert all([await is_in(shim, session) for session in sessions])
    assert [shim.api.count(verb) for verb in WRITES] == before


async def test_keys_that_seal_are_replaced_while_sessions_go_on(shim: Rig, tmp_path: Path) -> None:
    session = await login(shim.http)
    file, new = tmp_path / "seal-key", "another key of at least 32 characters"
    file.write_text("short")
    shim.clock.advance(REREAD_SECONDS)
    assert await is_in(shim, session), "what cannot be used changes nothing"
    file.write_text(f"{new}\n{SEAL_KEY}\n")
    shim.clock.advance(REREAD_SECONDS)
    assert await is_in(shim, session)
    later = await login(shim.http)
    file.write_text(new)
    shim.clock.advance(REREAD_SECONDS)
    assert not await is_in(shim, session)
    assert await is_in(shim, later)


async def test_who_guesses_is_limited_and_jenkins_beside_them_is_not(shim: Rig) -> None:
    session = await login(shim.http)
    for number in range(MOST_FAILURES):
        await shim.http.post("/tap/v1/hand", json={"id": f"guess {number}"})
    answer = await shim.http.post("/tap/v1/hand", json={"id": "guess"})
    assert answer.status_code == 429
    assert await is_in(shim, session)
    assert await is_in(shim, await login(shim.http)), "from the same address, with a new session for each request"


async def test_a_key_that_cannot_be_used_is_told_in_the_log(shim: Rig, caplog: pytest.LogCaptureFixture) -> None:
    await add_object(shim, "bad", {"id": "bad", "publicKey": "AAAA"})
    assert (await shim.http.post("/tap/v1/hand", json={"id": "bad"})).status_code == 401
    assert "ApiKey bad cannot be used: its publicKey must be the base64 text" in caplog.text


async def test_of_two_objects_with_one_id_the_oldest_counts(shim: Rig) -> None:
    for name, year in (("b", 2025), ("a", 2026)):
        await add_object(shim, name, {"id": "two", "groups": [name]}, creationTimestamp=f"{year}-01-01T00:00:00Z")
    found = shim.services.stores.api_key("two")
    assert found is not None
    assert found.metadata.name == "b"


async def test_nobody_is_refused_while_the_caches_are_read(tmp_path: Path) -> None:
    async with with_keys(tmp_path) as shim:
        await add_key(shim)
        session = await login(shim.http)
    async with with_keys(tmp_path, synced=False) as starting:
        answer = await starting.http.post("/tap/v1/hand", json={"id": "ci"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        answer = await starting.http.get(STATUS, headers=session)
        assert answer.status_code == 200
        assert answer.json()["message"].startswith("starting up, try again in a moment")


async def test_no_secret_in_any_log(shim: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    secret = await hand(shim.http)
    answer = await shim.http.post("/tap/v1/shake", json={"id": "ci", "secret": secret})
    data = answer.json()["data"]
    assert await is_in(shim, bearer(data))
    await shim.http.post("/tap/v1/shake", json={"id": "ci", "secret": secret})
    made = await shim.http.post("/api/v1/apikey", json={"id": "new", "ttl": 9, "groups": []}, headers=ROOT)
    text = "\n".join(str(vars(record)) for record in caplog.records)
    assert "login refused" in text
    for word in (secret, data["token"], bearer(data)["Authorization"], made.json()["body"], SEAL_KEY):
        assert word not in text


async def test_without_authentication_there_is_no_handshake() -> None:
    async with rig() as shim:
        assert (await shim.http.post("/tap/v1/hand", json={"id": "x"})).status_code == 404
