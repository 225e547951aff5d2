"""How the clients log in, and what they make of answers that are not quite right."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from clients.credential import OAEP, Credential, OidcClient, UserKey
from clients.exporter import Exporter
from clients.failing import Reported
from clients.golang import Panic
from clients.java_login import TRIES, KeyLogin, OidcLogin
from clients.java_sdk import Sdk
from clients.pace import Unhurried
from support.legacy_answers import STATUS
from support.rsa_keys import PRIVATE, to_pem
from support.scripted_controller import Scripted, ScriptedController, fail, ok

SECRET = "url-safe_secret"
DATA = {"userName": "ci", "sessionId": "s", "token": "t"}
HAND = Scripted(base64.b64encode(PRIVATE.public_key().encrypt(SECRET.encode(), OAEP)))
SHAKE = Scripted(json.dumps({"id": "ci", "data": DATA}).encode())
NEEDS_LOGIN = fail("Authentication Required", 401)


@pytest.fixture
def key(tmp_path: Path) -> Credential:
    file = tmp_path / "key.pem"
    file.write_text(to_pem(PRIVATE))
    return Credential(key=UserKey("ci", file))


@pytest.fixture
def open_to_keys(controller: ScriptedController) -> ScriptedController:
    controller.on("POST /tap/v1/hand", HAND)
    controller.on("POST /tap/v1/shake", SHAKE)
    controller.on("GET /api/v1/status", ok(STATUS))
    return controller


def session_of(line: str) -> object:
    return json.loads(base64.b64decode(line.removeprefix("Authorization: Bearer ")))


def test_java_shakes_hands_before_each_request(open_to_keys: ScriptedController, key: Credential) -> None:
    sdk = Sdk([open_to_keys.url], Unhurried(), key)
    assert [sdk.is_online() for _ in range(3)] == [True] * 3
    assert open_to_keys.requests() == ["POST /tap/v1/hand", "POST /tap/v1/shake", "GET /api/v1/status"] * 3
    hand, shake, status = open_to_keys.sent[:3]
    assert (hand.json, shake.json) == ({"id": "ci"}, {"id": "ci", "secret": SECRET})
    assert session_of(status.headers[0]) == DATA
    assert not any("Authorization" in line for line in (*hand.headers, *shake.headers))


@pytest.mark.parametrize(
    "hand",
    [HAND.body + b"\n", b'"' + HAND.body + b'"', base64.urlsafe_b64encode(b"\xff" * 256), b"{}", b""],  # type: ignore[operator]
    ids=["newline", "quotes", "URL-safe", "JSON", "empty"],
)
def test_java_takes_nothing_but_plain_base64(open_to_keys: ScriptedController, key: Credential, hand: bytes) -> None:
    open_to_keys.on("POST /tap/v1/hand", Scripted(hand))
    with pytest.raises(Reported, match="of no use"):
        Sdk([open_to_keys.url], Unhurried(), key).is_online()


@pytest.mark.parametrize(("code", "tries"), [(401, 1), (404, 1), (500, TRIES), (503, TRIES)])
def test_java_tries_again_on_5xx_only(open_to_keys: ScriptedController, key: Credential, code: int, tries: int) -> None:
    open_to_keys.on("POST /tap/v1/hand", fail("x", code))
    with pytest.raises(Reported, match=f"HTTP {code}"):
        Sdk([open_to_keys.url], Unhurried(), key).is_online()
    assert open_to_keys.requests() == ["POST /tap/v1/hand"] * tries


def test_java_goes_on_after_a_moment_of_trouble(open_to_keys: ScriptedController, key: Credential) -> None:
    open_to_keys.on("POST /tap/v1/shake", fail("starting", 503), SHAKE)
    sdk = Sdk([open_to_keys.url], Unhurried(), key)
    assert sdk.is_online()
    assert isinstance(sdk.login, KeyLogin)
    assert sdk.login.handshakes == 1


def test_the_exporter_keeps_its_session_until_it_is_told(open_to_keys: ScriptedController, key: Credential) -> None:
    open_to_keys.on("GET /api/v1/status", NEEDS_LOGIN, ok(STATUS), NEEDS_LOGIN, ok(STATUS))
    exporter = Exporter(open_to_keys.url, Unhurried(), credential=key)
    with pytest.raises(Reported, match="not scripted"):
        exporter.collect()
    with pytest.raises(Reported, match="not scripted"):
        exporter.collect()
    handshake = ["POST /tap/v1/hand", "POST /tap/v1/shake"]
    status, nodes = "GET /api/v1/status", "GET /api/v1/node"
    assert open_to_keys.requests() == [status, *handshake, status, nodes, status, *handshake, status, nodes]
    assert exporter.session is not None
    assert session_of(f"Authorization: {exporter.session.header}") == DATA


@pytest.mark.parametrize("answer", [ok(STATUS), fail("Not authorized", 401), fail("Authentication required", 401)])
def test_the_exporter_dies_unless_a_login_is_demanded(
    open_to_keys: ScriptedController, key: Credential, answer: Scripted
) -> None:
    open_to_keys.on("GET /api/v1/status", answer)
    with pytest.raises(Panic):
        Exporter(open_to_keys.url, Unhurried(), credential=key)


def test_the_exporter_overlooks_a_refused_shake_and_sends_null(
    open_to_keys: ScriptedController, key: Credential
) -> None:
    open_to_keys.on("GET /api/v1/status", NEEDS_LOGIN)
    open_to_keys.on("POST /tap/v1/shake", NEEDS_LOGIN)
    exporter = Exporter(open_to_keys.url, Unhurried(), credential=key)
    with pytest.raises(Reported, match="Authentication Required"):
        exporter.collect()
    assert exporter.session is not None
    assert session_of(f"Authorization: {exporter.session.header}") is None


def test_the_exporter_reports_a_hand_that_it_cannot_decrypt(open_to_keys: ScriptedController, key: Credential) -> None:
    open_to_keys.on("GET /api/v1/status", NEEDS_LOGIN)
    open_to_keys.on("POST /tap/v1/hand", NEEDS_LOGIN)
    with pytest.raises(Reported, match="check your id and key path"):
        Exporter(open_to_keys.url, Unhurried(), credential=key)


@pytest.mark.parametrize(
    ("claims", "scope"),
    [(("name", "groups"), "profile+groups"), (("name", "nickname"), "profile"), (("azp", "teams"), "azp+teams")],
)
def test_a_machine_asks_the_provider_for_what_the_claims_need(
    controller: ScriptedController, claims: tuple[str, str], scope: str
) -> None:
    oidc = {"user_name_field": claims[0], "groups_field": claims[1], "provider_url": f"{controller.url}/dex"}
    controller.on("GET /config/v1/auth", ok({"oidc": oidc}))
    found = json.dumps({"token_endpoint": f"{controller.url}/dex/token"}).encode()
    controller.on("GET /dex/.well-known/openid-configuration", Scripted(found))
    controller.on("POST /dex/token", Scripted(json.dumps({"access_token": "jwt", "expires_in": 60}).encode()))
    controller.on("GET /api/v1/status", ok(STATUS))
    pace = Unhurried()
    sdk = Sdk([controller.url], pace, Credential(oidc=OidcClient("jenkins", "secret")))
    for wait in (0, 59, 1):
        pace.pause(wait)
        assert sdk.is_online()
    assert isinstance(sdk.login, OidcLogin)
    assert sdk.login.tokens == 2
    token = next(sent for sent in controller.sent if sent.target == "/dex/token")
    assert token.body.decode() == f"grant_type=client_credentials&scope={scope}"
    assert "Authorization: Basic amVua2luczpzZWNyZXQ=" in token.headers
    assert controller.sent[-1].headers[0] == "Authorization: Bearer jwt"


def test_a_provider_that_is_not_configured(controller: ScriptedController) -> None:
    controller.on("GET /config/v1/auth", ok({}))
    with pytest.raises(Exception, match=r'JSONObject\["oidc"\] not found'):
        Sdk([controller.url], Unhurried(), Credential(oidc=OidcClient("jenkins", "secret"))).is_online()
