"""What a browser must bring back follows from its cookie and our key, and from nothing else."""

from __future__ import annotations

import base64
import hashlib

from anka_shim.access.oidc.attempt import derive

KEY, OTHER = b"1" * 32, b"2" * 32


def test_any_replica_derives_the_same() -> None:
    assert derive("sealed", KEY) == derive("sealed", KEY)


def test_all_parts_differ() -> None:
    attempts = [derive(sealed, key) for sealed in ("a", "b") for key in (KEY, OTHER)]
    parts = [part for one in attempts for part in (one.state, one.nonce, one.verifier, one.challenge)]
    assert len(set(parts)) == len(parts)


def test_the_challenge_is_that_of_pkce() -> None:
    attempt = derive("sealed", KEY)
    assert 43 <= len(attempt.verifier) <= 128
    digest = hashlib.sha256(attempt.verifier.encode()).digest()
    assert base64.urlsafe_b64decode(attempt.challenge + "=") == digest
