"""The handshake by which a machine logs in with an API key (docs/reference/legacy-api.md#uak).

No state is stored for a handshake or a session, so that one before each request, as Jenkins does it, costs no write:
secret and session token are sealed, and any replica can check them. Both are bound to the object of the key: with
another one of the same id they are worth nothing.

A secret is good once: replicas tell each other which are used (replicas/used_secrets.py).
"""

import logging
import secrets
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

from anka_crds.api import ApiKey
from anka_runtime.clock import Clock
from anka_runtime.repetition import CAUSE
from anka_shim.access.api_keys import ApiKeyCatalog, principal_of
from anka_shim.access.public_key import encrypt
from anka_shim.access.seal import NONCE_BYTES, Seal, close, reopen
from anka_shim.access.session_token import SessionToken, parse_session
from anka_shim.http.authentication import Principal

log = logging.getLogger(__name__)

SECRET_SECONDS = 180
"""How long the secret of a handshake is good."""


class UsedNonces(Protocol):
    """What was used once and may not be used again."""

    async def take(self, nonce: bytes, until: int) -> bool:
        """False if it was used before. `until`: when it would have ended unused, in Unix seconds."""


class Handshake:
    """`seal_keys`: gives the keys that seal, the one for new seals first. `used`: of all replicas."""

    def __init__(
        self,
        keys: ApiKeyCatalog,
        seal_keys: Callable[[], Sequence[bytes]],
        clock: Clock,
        used: UsedNonces,
        *,
        session_seconds: float,
    ) -> None:
        self._keys = keys
        self._seal_keys = seal_keys
        self._clock = clock
        self._session_seconds = round(session_seconds)
        self._used = used

    def begin(self, id_: str) -> str | None:
        """A secret, encrypted for the owner of this key. None without such a key. Raises Failure while starting."""
        key = self._keys.find(id_)
        if key is None:
            return None
        until = int(self._clock.now().timestamp()) + SECRET_SECONDS
        secret = close(Seal(secrets.token_bytes(NONCE_BYTES), until), "handshake", _facts(key), self._seal_keys()[0])
        try:
            return encrypt(secret.encode(), key.spec.public_key)
        except ValueError as error:
            text = "ApiKey %s cannot be used: its publicKey %s"
            log.warning(text, key.metadata.name, error, extra={CAUSE: key.metadata.uid})
            return None

    async def end(self, id_: str, secret: str) -> SessionToken | None:
        """A session for who has decrypted the secret. None if it is wrong, too old or used. Raises Failure as above."""
        key = self._keys.find(id_)
        if key is None:
            return None
        now = self._clock.now().timestamp()
        seal = reopen(secret, "handshake", _facts(key), self._seal_keys(), now)
        if seal is None or not await self._used.take(seal.nonce, seal.until):
            return None
        session = str(uuid.UUID(bytes=seal.nonce))
        granted = Seal(seal.nonce, seal.until - SECRET_SECONDS + self._session_seconds)
        return SessionToken(id_, session, close(granted, "session", (*_facts(key), session), self._seal_keys()[0]))

    def authenticate(self, bearer: str) -> Principal | None:
        """Whose session it is. Raises Failure as above."""
        given = parse_session(bearer)
        key = self._keys.find(given.user) if given is not None else None
        if given is None or key is None:
            return None
        now = self._clock.now().timestamp()
        if reopen(given.token, "session", (*_facts(key), given.session), self._seal_keys(), now) is None:
            return None
        return principal_of(key)


def _facts(key: ApiKey) -> tuple[str, str]:
    return key.spec.id, key.metadata.uid
