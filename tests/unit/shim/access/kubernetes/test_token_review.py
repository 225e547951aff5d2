"""Tokens of the cluster: known for a while, no longer than they are valid, and an outage is no wrong token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_shim.access.kubernetes.reviewer import KubernetesReviewer
from anka_shim.access.kubernetes.token_review import KEPT_SECONDS, REFUSED_SECONDS, TokenReviewAuthenticator
from anka_shim.access.unverified_token import UnverifiedToken, parse_unverified
from anka_shim.failure import Failure
from support.jwt import raw_token
from support.kube_identities import KubeIdentities
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with ScriptedApi().serve() as served:
        yield served


@pytest.fixture
def known(api: ScriptedApi) -> KubeIdentities:
    found = KubeIdentities()
    found.serve(api)
    return found


@pytest.fixture
async def tokens(api: ScriptedApi, clock: ManualClock) -> AsyncIterator[TokenReviewAuthenticator]:
    async with KubeClient(Endpoint(server=api.url)) as client:
        yield TokenReviewAuthenticator(KubernetesReviewer(client, 5), clock, audience="anka")


def parsed(text: str) -> UnverifiedToken:
    found = parse_unverified(text)
    assert found is not None
    return found


async def test_a_token_is_known_for_a_while(
    tokens: TokenReviewAuthenticator, known: KubeIdentities, clock: ManualClock
) -> None:
    token = parsed(known.add("builder"))
    for _ in range(2):
        principal = await tokens.authenticate(token)
        assert principal is not None
        assert principal.name == "system:serviceaccount:ci:builder"
    assert known.token_reviews == [{"token": token.text, "audiences": ["anka"]}]
    known.users.clear()
    clock.advance(KEPT_SECONDS - 0.1)
    assert await tokens.authenticate(token)
    clock.advance(0.1)
    assert await tokens.authenticate(token) is None


async def test_it_counts_no_longer_than_it_says(
    tokens: TokenReviewAuthenticator, known: KubeIdentities, clock: ManualClock
) -> None:
    token = parsed(known.add("builder", expires=clock.now().timestamp() + 3))
    assert await tokens.authenticate(token)
    known.users.clear()
    clock.advance(2.9)
    assert await tokens.authenticate(token)
    clock.advance(0.1)
    assert await tokens.authenticate(token) is None


async def test_a_wrong_one_is_asked_about_again_soon(
    tokens: TokenReviewAuthenticator, known: KubeIdentities, clock: ManualClock
) -> None:
    token = parsed(raw_token({"iss": "https://kubernetes.default.svc"}))
    assert await tokens.authenticate(token) is None
    assert await tokens.authenticate(token) is None
    assert len(known.token_reviews) == 1
    clock.advance(REFUSED_SECONDS)
    assert await tokens.authenticate(token) is None
    assert len(known.token_reviews) == 2


async def test_a_token_for_somebody_else_is_wrong(tokens: TokenReviewAuthenticator, known: KubeIdentities) -> None:
    known.audiences = ("https://kubernetes.default.svc",)
    assert await tokens.authenticate(parsed(known.add("builder"))) is None


@pytest.mark.parametrize(
    "fault", [Fault(500), Fault(503), Fault(403), Fault(200, body=b"{}"), Fault(200, body=b"<html>")]
)
async def test_an_outage_is_no_wrong_token(
    tokens: TokenReviewAuthenticator, known: KubeIdentities, api: ScriptedApi, fault: Fault
) -> None:
    token = parsed(known.add("builder"))
    api.fail("create", fault)
    with pytest.raises(Failure) as raised:
        await tokens.authenticate(token)
    assert (raised.value.code, raised.value.retry_after) == (503, 1)
    assert token.text not in raised.value.message
    assert await tokens.authenticate(token)


async def test_silence_ends_in_time(known: KubeIdentities, clock: ManualClock) -> None:
    async with asyncio.timeout(20):
        silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        async with (
            silent,
            KubeClient(Endpoint(server=f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}")) as client,
        ):
            tokens = TokenReviewAuthenticator(KubernetesReviewer(client, 0.05), clock, audience="anka")
            with pytest.raises(Failure, match="try again"):
                await tokens.authenticate(parsed(known.add("builder")))
