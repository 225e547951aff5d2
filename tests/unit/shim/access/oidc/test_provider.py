"""The provider is read in the background; while it is away, what it said last stays in use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from anka_shim.access.oidc.provider import REFRESH_SECONDS, UNKNOWN_SECONDS, OidcProvider
from anka_shim.failure import Failure
from support.manual_clock import ManualClock
from support.oidc_provider import KEYS, OTHER, OidcProviderServer


class Naps:
    """Sleeps until it is woken; says when it sleeps."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self._asleep = asyncio.Event()
        self._wake = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self._wake.clear()
        self._asleep.set()
        await self._wake.wait()

    async def next(self) -> None:
        """Wait until it sleeps."""
        await asyncio.wait_for(self._asleep.wait(), 20)

    async def again(self) -> None:
        """Wake it, and wait until it sleeps again."""
        self._asleep.clear()
        self._wake.set()
        await self.next()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def server() -> AsyncIterator[OidcProviderServer]:
    async with OidcProviderServer().serve() as served:
        yield served


Running = tuple[OidcProvider, Naps]


@asynccontextmanager
async def running(server: OidcProviderServer, clock: ManualClock) -> AsyncIterator[Running]:
    naps = Naps()
    async with OidcProvider(f"{server.url}/", clock, sleep=naps, chance=lambda: 1.0) as provider:
        await naps.next()
        yield provider, naps


async def test_what_it_has_read(server: OidcProviderServer, clock: ManualClock) -> None:
    async with running(server, clock) as (provider, naps):
        assert (await provider.info()).issuer == server.url
        for key in KEYS.values():
            assert await provider.find_key(key.kid) is not None
        assert server.requests == ["/.well-known/openid-configuration", "/keys"]
        assert naps.taken == [REFRESH_SECONDS]


async def test_a_new_key_is_read_with_the_first_token_that_names_it(
    server: OidcProviderServer, clock: ManualClock
) -> None:
    async with running(server, clock) as (provider, _):
        server.keys.append(OTHER)
        found = await asyncio.gather(*(provider.find_key("other") for _ in range(20)))
        assert all(found)
        assert server.requests.count("/keys") == 2


async def test_unknown_names_are_asked_about_once_a_minute(server: OidcProviderServer, clock: ManualClock) -> None:
    async with running(server, clock) as (provider, _):
        for number in range(20):
            assert await provider.find_key(f"unknown {number}") is None
        assert server.requests.count("/keys") == 2
        clock.advance(UNKNOWN_SECONDS)
        assert await provider.find_key("unknown") is None
        assert server.requests.count("/keys") == 3


async def test_while_it_is_away_what_it_said_last_is_in_use(server: OidcProviderServer, clock: ManualClock) -> None:
    async with running(server, clock) as (provider, naps):
        server.is_away = True
        await naps.again()
        await naps.again()
        assert await provider.find_key("rsa") is not None
        with pytest.raises(Failure) as raised:
            await provider.find_key("unknown")
        assert (raised.value.code, raised.value.retry_after) == (503, 1)
        server.is_away = False
        await naps.again()
        assert naps.taken == [REFRESH_SECONDS, 1.0, 2.0, REFRESH_SECONDS]
        clock.advance(UNKNOWN_SECONDS)
        assert await provider.find_key("unknown") is None


async def test_before_it_answers_nobody_can_say(server: OidcProviderServer, clock: ManualClock) -> None:
    server.is_away = True
    async with running(server, clock) as (provider, naps):
        with pytest.raises(Failure, match="try again"):
            await provider.find_key("rsa")
        with pytest.raises(Failure, match="try again"):
            await provider.info()
        assert naps.taken == [1.0]
        server.is_away = False
        await naps.again()
        assert await provider.find_key("rsa") is not None


async def test_one_that_is_somebody_else_is_not_believed(
    server: OidcProviderServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    server.issuer = "https://id.example.com"
    async with running(server, clock) as (provider, _):
        with pytest.raises(Failure):
            await provider.find_key("rsa")
    assert "it calls itself 'https://id.example.com': give that as --oidc-provider-url" in caplog.text
