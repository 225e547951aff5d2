"""Who has a token, by its claims. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from anka_shim.http.authentication import LoginMethod, Principal

LEEWAY_SECONDS = 60
"""Clocks of provider and shim may differ by so much."""
LONGEST_NAME = 256
MOST_GROUPS = 5000


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """`audiences`: one of them must be the token's `aud`, or the client that it was made for. `user` and `groups`: the
    names of the claims."""

    audiences: frozenset[str]
    user: str
    groups: str


def read_principal(claims: Mapping[str, Any], issuer: str, rules: ClaimRules, now: float) -> Principal:
    """ValueError says what is wrong with claims whose signature is right.

    Groups alone give rights. The name does not, as the id of an API key does: people choose it themselves at many
    providers."""
    registry = JWTClaimsRegistry(
        now=int(now), leeway=LEEWAY_SECONDS, iss={"essential": True, "value": issuer}, exp={"essential": True}
    )
    try:
        registry.validate(dict(claims))
    except JoseError as error:
        raise ValueError(f"claim {error.description or error.error}") from None
    if not _is_for(claims, rules.audiences):
        raise ValueError("claim aud: it was made for another client (--oidc-client-id, --oidc-audiences)")
    name = claims.get(rules.user)
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(f"no user name in claim {rules.user} (--oidc-username-claim)")
    groups = _read_groups(claims.get(rules.groups), rules.groups)
    return Principal(name, groups=frozenset(groups), method=LoginMethod.OIDC)


def _is_for(claims: Mapping[str, Any], audiences: Collection[str]) -> bool:
    """Access tokens of many providers have an `aud` of their own, and say in `azp` or `client_id` who asked."""
    given = claims.get("aud")
    named = [*(given if isinstance(given, list) else [given]), claims.get("azp"), claims.get("client_id")]
    return any(isinstance(one, str) and one in audiences for one in named)


def _read_groups(value: object, claim: str) -> list[str]:
    """A text is one group: some providers write a list of one so."""
    groups = [value] if isinstance(value, str) else value
    if not isinstance(groups, list) or not all(isinstance(one, str) for one in groups):
        raise ValueError(f"no groups in claim {claim} (--oidc-groups-claim)")
    if len(groups) > MOST_GROUPS:
        raise ValueError(f"more than {MOST_GROUPS} groups in claim {claim}")
    return groups
