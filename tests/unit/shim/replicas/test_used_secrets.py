"""Each secret once, at two shims that know each other over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from anka_shim.access.handshake import SECRET_SECONDS
from anka_shim.replicas.announcements import MOST_TOGETHER, UsedSecret
from anka_shim.replicas.client import USED_PATH
from anka_shim.replicas.peer_key import PeerKey
from anka_shim.replicas.signature import HEADER
from localkube.free_ports import free_port
from support.manual_clock import ManualClock
from support.shim_rig import Rig, listening, rig

NONCE = bytes(16)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "peer-key"
    path.write_text("k" * 32)
    return path


@asynccontextmanager
async def pair(key_file: Path) -> AsyncIterator[tuple[Rig, Rig]]:
    """The first knows the second; the second is told, and tells nobody."""
    async with (
        rig(peer_key_file=key_file) as second,
        listening(second.edge) as (host, port),
        rig(peer_key_file=key_file, peers=f"{host}:{port}", peer_seconds=2.0) as first,
        asyncio.timeout(60),
    ):
        while not first.services.peers.announcements:  # noqa: ASYNC110 - nothing tells a test of it
            await asyncio.sleep(0.01)
        yield first, second


def until(shim: Rig) -> int:
    return int(shim.clock.now().timestamp()) + SECRET_SECONDS


async def test_what_was_used_here_is_used_there_when_it_is_answered(key_file: Path) -> None:
    async with pair(key_file) as (first, second):
        used, there = first.services.used_secrets, second.services.used_secrets
        assert await used.take(NONCE, until(first))
        assert not await there.take(NONCE, until(second))
        assert not await used.take(NONCE, until(first))


async def test_what_was_used_there_is_refused_here(key_file: Path) -> None:
    async with pair(key_file) as (first, second):
        assert await second.services.used_secrets.take(NONCE, until(second))
        assert not await first.services.used_secrets.take(NONCE, until(first))


async def test_many_at_once(key_file: Path) -> None:
    async with pair(key_file) as (first, second):
        nonces = [number.to_bytes(16, "big") for number in range(3 * MOST_TOGETHER)]
        taken = await asyncio.gather(*(first.services.used_secrets.take(nonce, until(first)) for nonce in nonces))
        assert all(taken)
        assert not any([await second.services.used_secrets.take(nonce, until(second)) for nonce in nonces])


async def test_a_replica_that_is_away_costs_no_login(key_file: Path) -> None:
    async with rig(peer_key_file=key_file, peers=f"127.0.0.1:{free_port()}", peer_seconds=2.0) as alone:
        used = alone.services.used_secrets
        assert await used.take(NONCE, until(alone))
        assert not await used.take(NONCE, until(alone))


async def test_nothing_is_remembered_longer_than_a_secret_can_last() -> None:
    async with rig() as shim:
        used = shim.services.used_secrets
        assert used.note(UsedSecret(NONCE, 999_999_999_999))
        shim.clock.advance(SECRET_SECONDS + 31)
        assert used.note(UsedSecret(NONCE, until(shim)))


async def tell(shim: Rig, query: str, key: PeerKey | None) -> httpx.Response:
    target = f"{USED_PATH}?{query}"
    headers = {HEADER: key.sign_question("POST", target)} if key else {}
    return await shim.http.post(target, headers=headers)


async def test_who_has_not_the_key_cannot_make_it_forget(key_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("o" * 32)
    good = f"from=two&secrets={NONCE.hex()}.1800000000"
    async with rig() as shim:
        assert (await tell(shim, good, None)).status_code == 404, "nor where there is none"
    async with rig(peer_key_file=key_file) as shim:
        for key in (None, PeerKey(other, ManualClock())):
            assert (await tell(shim, good, key)).status_code == 401
        key = PeerKey(key_file, ManualClock())
        answers = [(await tell(shim, good, key)).json()["known"] for _ in range(2)]
        assert answers == [[], [NONCE.hex()]]


@pytest.mark.parametrize(
    "secrets",
    ["", "x", "00.1", f"{NONCE.hex()}", f"{NONCE.hex()}.", f"{NONCE.hex()}.1.2", f"{NONCE.hex()}.{'9' * 13}",
     f"{NONCE.hex().replace('0', 'G')}.1", ",".join([f"{NONCE.hex()}.1"] * (MOST_TOGETHER + 1))],
)  # fmt: skip
async def test_what_no_replica_tells(key_file: Path, secrets: str) -> None:
    async with rig(peer_key_file=key_file) as shim:
        answer = await tell(shim, f"from=two&secrets={secrets}", PeerKey(key_file, ManualClock()))
        assert answer.status_code == 400
