"""Tokens of a provider that signs for real, at a shim: the table of what is good and what is not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from anka_shim.access.oidc.authenticator import KEPT_SECONDS
from anka_shim.access.oidc.claims import LEEWAY_SECONDS
from anka_shim.access.oidc.provider import UNKNOWN_SECONDS
from support.kube_identities import KubeIdentities
from support.oidc_provider import KEYS, OTHER, OidcProviderServer, sign, signed_with_public_key, unsigned
from support.shim_rig import Rig, rig

STATUS = "/api/v1/status"
ROOT_TOKEN = "the root token of the tests"
Claims = dict[str, Any]


@pytest.fixture
async def provider() -> AsyncIterator[OidcProviderServer]:
    async with OidcProviderServer().serve() as served:
        yield served


@pytest.fixture
async def shim(provider: OidcProviderServer, tmp_path: Path) -> AsyncIterator[Rig]:
    async with at(provider, tmp_path) as found:
        yield found


def at(provider: OidcProviderServer, folder: Path, **more: Any) -> Any:
    (folder / "root-token").write_text(ROOT_TOKEN)
    return rig(
        enable_auth=True,
        enable_authorization=True,
        root_token_file=folder / "root-token",
        oidc_provider_url=provider.url,
        oidc_client_id="anka",
        oidc_audiences="jenkins, teamcity",
        **more,
    )


async def ask(shim: Rig, token: str, path: str = STATUS) -> int:
    return (await shim.http.get(path, headers={"Authorization": f"Bearer {token}"})).status_code


@pytest.fixture
def now(shim: Rig) -> float:
    return shim.clock.now().timestamp()


GOOD: dict[str, Callable[[OidcProviderServer, float], str]] = {
    **{name: lambda provider, now, name=name: sign(provider.claims(now), name) for name in KEYS},  # type: ignore[misc]
    "aud of a machine": lambda provider, now: sign(provider.claims(now, aud=["account", "jenkins"])),
    "azp of a machine": lambda provider, now: sign(provider.claims(now, aud="account", azp="teamcity")),
    "groups as a text": lambda provider, now: sign(provider.claims(now, groups="ios")),
    "500 groups": lambda provider, now: sign(provider.claims(now, groups=[f"team {n}" for n in range(500)])),
    "just ended": lambda provider, now: sign(provider.claims(now, exp=now - LEEWAY_SECONDS + 1)),
}
BAD: dict[str, Callable[[OidcProviderServer, float], str]] = {
    "aud": lambda provider, now: sign(provider.claims(now, aud="other")),
    "iss": lambda provider, now: sign(provider.claims(now, iss="https://id.example.com")),
    "iss with a slash": lambda provider, now: sign(provider.claims(now, iss=f"{provider.url}/")),
    "ended": lambda provider, now: sign(provider.claims(now, exp=now - LEEWAY_SECONDS)),
    "no end": lambda provider, now: sign(provider.claims(now, exp=None)),
    "too early": lambda provider, now: sign(provider.claims(now, nbf=now + LEEWAY_SECONDS + 1)),
    "no name": lambda provider, now: sign(provider.claims(now, name=None)),
    "no groups": lambda provider, now: sign(provider.claims(now, groups=None)),
    "none": lambda provider, now: unsigned(provider.claims(now)),
    "HS256": lambda provider, now: signed_with_public_key(provider.claims(now)),
    "foreign key": lambda provider, now: sign(provider.claims(now), "ES256", OTHER, kid="ec"),
    "unknown key": lambda provider, now: sign(provider.claims(now), "ES256", OTHER),
    "no key named": lambda provider, now: sign(provider.claims(now), kid=None),
    "no token": lambda provider, now: "a.b.c",
}


@pytest.mark.parametrize("case", GOOD)
async def test_good(case: str, shim: Rig, provider: OidcProviderServer, now: float) -> None:
    assert await ask(shim, GOOD[case](provider, now)) == 200


@pytest.mark.parametrize("case", BAD)
async def test_bad(case: str, shim: Rig, provider: OidcProviderServer, now: float) -> None:
    assert await ask(shim, BAD[case](provider, now)) == 401


async def test_no_request_asks_the_provider(shim: Rig, provider: OidcProviderServer, now: float) -> None:
    assert await ask(shim, sign(provider.claims(now))) == 200
    asked = len(provider.requests)
    for number in range(50):
        assert await ask(shim, sign(provider.claims(now, jti=str(number)), "ES256")) == 200
    assert len(provider.requests) == asked
    for number in range(5):
        assert await ask(shim, sign(provider.claims(now, jti=str(number)), "ES256", OTHER)) == 401
    assert len(provider.requests) == asked + 2, "once, for a key that is not known"


async def test_while_the_provider_is_away(shim: Rig, provider: OidcProviderServer, now: float) -> None:
    assert await ask(shim, sign(provider.claims(now))) == 200
    provider.is_away = True
    shim.clock.advance(UNKNOWN_SECONDS)
    assert await ask(shim, sign(provider.claims(now, jti="away"))) == 200
    unknown = sign(provider.claims(now), "ES256", OTHER)
    assert await ask(shim, unknown) == 503, "it may be a new key"
    provider.is_away = False
    provider.keys.append(OTHER)
    shim.clock.advance(UNKNOWN_SECONDS)
    assert await ask(shim, unknown) == 200


async def test_a_token_ends_while_it_is_used(shim: Rig, provider: OidcProviderServer, now: float) -> None:
    token = sign(provider.claims(now, exp=now + 1))
    assert await ask(shim, token) == 200
    shim.clock.advance(LEEWAY_SECONDS + 1)
    assert await ask(shim, token) == 401


async def test_a_withdrawn_key_soon_counts_no_more(shim: Rig, provider: OidcProviderServer, now: float) -> None:
    token = sign(provider.claims(now), "ES256")
    assert await ask(shim, token) == 200
    provider.keys.remove(KEYS["ES256"])
    shim.clock.advance(UNKNOWN_SECONDS)
    assert await ask(shim, sign(provider.claims(now), "ES256", OTHER)) == 401
    shim.clock.advance(KEPT_SECONDS)
    assert await ask(shim, token) == 401


async def test_how_clients_learn_where_to_log_in(shim: Rig, provider: OidcProviderServer) -> None:
    assert await shim.body("GET", "/config/v1/auth") == {
        "oidc": {"user_name_field": "name", "groups_field": "groups", "provider_url": provider.url}
    }


async def test_tokens_of_the_cluster_beside_it(provider: OidcProviderServer, tmp_path: Path) -> None:
    async with at(provider, tmp_path, enable_kubernetes_tokens=True) as shim:
        known = KubeIdentities()
        known.serve(shim.api)
        assert await ask(shim, known.add("builder")) == 200
        theirs = sign(provider.claims(shim.clock.now().timestamp()))
        assert await ask(shim, theirs) == 200
        assert len(known.token_reviews) == 1, "the cluster is not shown what the provider has made"


async def test_the_token_is_in_no_log(
    shim: Rig, provider: OidcProviderServer, now: float, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    tokens = [sign(provider.claims(now)), sign(provider.claims(now, aud="other")), unsigned(provider.claims(now))]
    for token in tokens:
        await ask(shim, token)
    text = "\n".join(str(vars(record)) for record in caplog.records)
    assert "OIDC token refused: claim aud: it was made for another client" in text
    assert not any(part in text for token in tokens for part in (token, token.split(".")[1]))
