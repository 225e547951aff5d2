"""Only keys that verify are keys, and each algorithm that is allowed works."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwk

from anka_shim.access.oidc.key_set import MOST_KEYS, parse_keys, verify
from anka_shim.access.unverified_token import parse_unverified
from support.oidc_provider import KEYS, OTHER, sign, signed_with_public_key, unsigned
from support.rsa_keys import PRIVATE

CLAIMS = {"iss": "https://id", "sub": "1"}
PUBLIC = [key.as_dict(private=False) for key in {id(key): key for key in KEYS.values()}.values()]


def check(text: str, **changed: Any) -> Any:
    token = parse_unverified(text)
    assert token is not None
    key = parse_keys({"keys": [{**one, **changed} for one in PUBLIC]}).find(token.key_id)
    assert key is not None
    return verify(token, key)


@pytest.mark.parametrize("algorithm", KEYS)
def test_what_the_provider_has_signed(algorithm: str) -> None:
    assert check(sign(CLAIMS, algorithm)) == CLAIMS


def test_parameters_that_only_the_provider_knows() -> None:
    assert check(sign(CLAIMS, nonce="abc", rh="x")) == CLAIMS


@pytest.mark.parametrize(
    "text",
    [
        unsigned(CLAIMS),
        unsigned(CLAIMS, "None"),
        unsigned(CLAIMS, "RS256"),
        signed_with_public_key(CLAIMS),
        sign(CLAIMS, "ES256", OTHER, kid="ec"),
        sign(CLAIMS, "ES256", OTHER, kid="rsa"),
        sign(CLAIMS, crit=["exp"]),
        sign(CLAIMS)[:-8] + "AAAAAAAA",
    ],
    ids=["none", "None", "empty", "HS256", "foreign", "another kind", "critical", "changed"],
)
def test_forged(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # what is wrong is joserfc's to say
        check(text)


def test_a_key_for_another_algorithm() -> None:
    with pytest.raises(ValueError, match="unsupported_key_alg"):
        check(sign(CLAIMS, "PS256"), alg="RS256")


def test_a_token_that_names_no_key_means_the_only_one() -> None:
    text = sign(CLAIMS, "ES256", kid=None)
    token = parse_unverified(text)
    assert token is not None
    assert token.key_id is None
    only = parse_keys({"keys": [KEYS["ES256"].as_dict(private=False)]})
    key = only.find(None)
    assert key is not None
    assert verify(token, key) == CLAIMS
    assert parse_keys({"keys": PUBLIC}).find(None) is None


SMALL = {"kty": "RSA", "kid": "small", "n": PUBLIC[0]["n"][:170], "e": "AQAB"}
"""1020 bits."""


@pytest.mark.parametrize(
    "key",
    [
        {**PUBLIC[0], "use": "enc"},
        {**PUBLIC[0], "kid": 5},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA"},
        {"kty": "RSA", "n": "?", "e": "AQAB"},
        {"kty": "new"},
        {},
        SMALL,
        jwk.RSAKey.import_key(PRIVATE).as_dict(private=True),
        "text",
    ],
)
def test_what_is_no_key_to_verify_with(key: Any) -> None:
    with pytest.raises(ValueError, match="none of its keys"):
        parse_keys({"keys": [key]})
    assert len(parse_keys({"keys": [key, PUBLIC[1]]})) == 1


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": [PUBLIC[0]] * (MOST_KEYS + 1)}])
def test_what_is_no_set(document: Any) -> None:
    with pytest.raises(ValueError, match="not a JWK set"):
        parse_keys(document)
