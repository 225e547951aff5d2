"""One attempt of a browser to log in: what it must bring back. Pure."""

import base64
import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """`state` comes back with the browser, `nonce` in the token; `verifier` proves that who redeems the code has begun
    the attempt (RFC 7636)."""

    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        return _encode(hashlib.sha256(self.verifier.encode()).digest())


def derive(sealed: str, key: bytes) -> LoginAttempt:
    """All of it from the sealed text in the browser's cookie: nothing is stored, and any replica can go on."""
    return LoginAttempt(*(_encode(hmac.digest(key, f"{what} {sealed}".encode(), hashlib.sha256)) for what in _PARTS))


_PARTS = ("state", "nonce", "verifier")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
