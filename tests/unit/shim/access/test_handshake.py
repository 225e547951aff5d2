"""A handshake at one replica, and what another replica makes of it."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from anka_crds.api import ApiKey
from anka_shim.access.handshake import SECRET_SECONDS, Handshake
from anka_shim.access.session_token import SessionToken
from anka_shim.http.authentication import LoginMethod, Principal
from support.api_keys import OAEP, SEAL_KEY
from support.manual_clock import ManualClock
from support.rsa_keys import PRIVATE, PUBLIC


class Keys:
    """An ApiKeyCatalog with one key."""

    def __init__(self, clock: ManualClock, uid: str = "uid-1") -> None:
        spec = {"id": "ci", "publicKey": PUBLIC, "groups": ["g"], "expiresAt": clock.now() + timedelta(days=1)}
        self.key = ApiKey.model_validate({"metadata": {"name": "k", "uid": uid}, "spec": spec})

    def find(self, id_: str) -> ApiKey | None:
        return self.key if id_ == "ci" else None


class Used:
    """What all replicas know."""

    def __init__(self) -> None:
        self.nonces: dict[bytes, int] = {}

    async def take(self, nonce: bytes, until: int) -> bool:
        is_new = nonce not in self.nonces
        self.nonces[nonce] = until
        return is_new


def replica(clock: ManualClock, uid: str = "uid-1", used: Used | None = None, key: bytes = b"") -> Handshake:
    keys = [key or SEAL_KEY.encode()]
    return Handshake(
        Keys(clock, uid),  # type: ignore[arg-type]
        lambda: keys,
        clock,
        used or Used(),
        session_seconds=300,
    )


def secret_of(one: Handshake) -> str:
    answer = one.begin("ci")
    assert answer is not None
    return PRIVATE.decrypt(base64.b64decode(answer), OAEP).decode()


def bearer(session: SessionToken) -> str:
    data = {"userName": session.user, "sessionId": session.session, "token": session.token}
    return base64.b64encode(json.dumps(data).encode()).decode()


async def test_any_replica_ends_a_handshake_and_knows_the_session() -> None:
    clock = ManualClock()
    one, other, third = (replica(clock) for _ in range(3))
    session = await other.end("ci", secret_of(one))
    assert session is not None
    assert third.authenticate(bearer(session)) == Principal(
        "ci", groups=frozenset({"g", "ci"}), method=LoginMethod.API_KEY
    )


async def test_a_secret_is_good_once_at_all_replicas_that_know_of_each_other() -> None:
    clock, used = ManualClock(), Used()
    one, other = replica(clock, used=used), replica(clock, used=used)
    secret = secret_of(one)
    assert await one.end("ci", secret) is not None
    assert set(used.nonces.values()) == {int(clock.now().timestamp()) + SECRET_SECONDS}
    assert await one.end("ci", secret) is None
    assert await other.end("ci", secret) is None


async def test_a_used_secret_gives_nothing_new_at_a_replica_that_was_away() -> None:
    """The same session once more, and no longer one, though it is asked for later."""
    clock = ManualClock()
    one, other = replica(clock), replica(clock)
    secret = secret_of(one)
    first = await one.end("ci", secret)
    clock.advance(SECRET_SECONDS - 1)
    assert first is not None
    assert await other.end("ci", secret) == first
    clock.advance(300 - SECRET_SECONDS + 1)
    assert one.authenticate(bearer(first)) is None


async def test_what_is_wrong_is_not_remembered() -> None:
    clock, used = ManualClock(), Used()
    one = replica(clock, used=used)
    for secret in ("x", "A" * 50, secret_of(replica(clock, "uid-2"))):
        assert await one.end("ci", secret) is None
    assert used.nonces == {}


@pytest.mark.parametrize("uid", ["uid-2", ""])
async def test_another_object_of_the_same_id_is_another_key(uid: str) -> None:
    clock = ManualClock()
    before, after = replica(clock), replica(clock, uid)
    secret = secret_of(before)
    session = await before.end("ci", secret)
    assert session is not None
    assert await after.end("ci", secret) is None
    assert after.authenticate(bearer(session)) is None


async def test_who_has_other_keys_that_seal_is_another_shim() -> None:
    clock = ManualClock()
    stranger = replica(clock, key=b"x" * 32)
    assert await stranger.end("ci", secret_of(replica(clock))) is None
    assert stranger.begin("nobody") is None
