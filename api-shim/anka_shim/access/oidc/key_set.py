"""The public keys of a provider, and what is signed with them. Pure."""

import warnings
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from anka_shim.access.unverified_token import UnverifiedToken

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""All are asymmetric: with HS256, the public key would be the secret."""
FEWEST_BITS = 2048
MOST_KEYS = 100

VerifyingKey = RSAKey | ECKey | OKPKey


class _Registry(JWSRegistry):
    """Providers add parameters of their own to the header; `crit` is obeyed in any case."""

    max_header_length = 4096


class ProviderKeySet:
    """By their `kid`; a key without one is the only key."""

    def __init__(self, keys: Mapping[str | None, VerifyingKey]) -> None:
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, kid: str | None) -> VerifyingKey | None:
        """A token that names no key is checked with the only one there is."""
        if kid is None or None in self._keys:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)


def parse_keys(document: Any) -> ProviderKeySet:
    """Those that can verify; others (for encryption, of kinds that we do not know) are left out. ValueError for what is
    no JWK set, or has none."""
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise ValueError(f"its keys are not a JWK set of at most {MOST_KEYS} keys")
    found = {one.get("kid"): key for one in listed if isinstance(one, dict) and (key := _parse_key(one)) is not None}
    if not found:
        raise ValueError("none of its keys can verify a signature")
    return ProviderKeySet(found)


def _parse_key(data: dict[str, Any]) -> VerifyingKey | None:
    if data.get("use", "sig") != "sig" or not isinstance(data.get("kid"), str | None):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        try:
            key = JWKRegistry.import_key(data)
            public = key.public_key if isinstance(key, VerifyingKey) else None
        except (JoseError, ValueError, TypeError, KeyError):
            return None
    if not isinstance(key, VerifyingKey) or key.is_private:
        return None
    return None if isinstance(public, RSAPublicKey) and public.key_size < FEWEST_BITS else key


def verify(token: UnverifiedToken, key: VerifyingKey) -> Mapping[str, Any]:
    """The claims of a token that was signed with this key. ValueError for any other."""
    registry = _Registry(algorithms=ALGORITHMS, strict_check_header=False)
    with warnings.catch_warnings():
        # EdDSA has another name now (RFC 9864), and providers use the old one.
        warnings.simplefilter("ignore", SecurityWarning)
        try:
            return jwt.decode(token.text, key, registry=registry).claims
        except (JoseError, ValueError, TypeError) as error:
            raise ValueError(_words(error)) from None


def _words(error: Exception) -> str:
    """Without what the token contains."""
    return getattr(error, "error", "") or "it cannot be read"
