"""What authenticates this process at a registry: a root token, or an API key
(docs/reference/legacy-api.md#uak)."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import orjson

from anka_runtime.rsa_key import parse_rsa_key
from anka_runtime.secret_file import SecretFile
from anka_runtime.session import AnswerError

Post = Callable[[str, Mapping[str, Any]], Awaitable[tuple[int, bytes]]]
"""(path, JSON): HTTP status and body of the registry's answer."""

HAND, SHAKE = "/tap/v1/hand", "/tap/v1/shake"


class LoginRefused(Exception):
    """The registry does not know who we are; str() says why in one line, without a secret."""


class RegistryCredential(Protocol):
    """`name`: what messages call it; no secret."""

    name: str

    async def header(self, post: Post) -> str:
        """The Authorization header. Raises LoginRefused, and what `post` raises."""
        ...

    def forget(self, header: str) -> bool:
        """The registry answered 401 to this header. Whether the next one will be another."""
        ...


class RegistryRootCredential:
    name = "the root token"

    def __init__(self, file: SecretFile) -> None:
        self._file = file

    async def header(self, post: Post) -> str:
        return "Basic " + base64.b64encode(b"root:" + self._file.content()).decode()

    def forget(self, header: str) -> bool:
        return False


class RegistryKeyCredential:
    """A session that is kept until the registry knows it no more. Requests that need one at the same time share one
    handshake."""

    def __init__(self, key_id: str, file: SecretFile) -> None:
        self.name = f"API key {key_id!r}"
        self._id = key_id
        self._file = file
        self._lock = asyncio.Lock()
        self._header: str | None = None

    async def header(self, post: Post) -> str:
        async with self._lock:
            if self._header is None:
                self._header = await self._shake(post)
            return self._header

    def forget(self, header: str) -> bool:
        if self._header == header:
            self._header = None
        return True

    async def _shake(self, post: Post) -> str:
        sealed = await self._ask(post, HAND, {"id": self._id})
        raw = await self._ask(post, SHAKE, {"id": self._id, "secret": self._open(sealed)})
        try:
            session = orjson.loads(raw)["data"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            session = None
        if not isinstance(session, dict):
            raise AnswerError(f"POST {SHAKE} gives no session")
        return "Bearer " + base64.b64encode(orjson.dumps(session)).decode()

    async def _ask(self, post: Post, path: str, body: Mapping[str, Any]) -> bytes:
        code, answer = await post(path, body)
        if code >= 500:
            raise AnswerError(f"POST {path} answers HTTP {code}")
        if code != 200:
            raise LoginRefused(f"{self.name} is not accepted: POST {path} answers HTTP {code}")
        return answer

    def _open(self, sealed: bytes) -> str:
        from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
        from cryptography.hazmat.primitives.hashes import SHA256

        try:
            key = parse_rsa_key(self._file.content())
            content = base64.b64decode(sealed, validate=True)
            return key.decrypt(content, OAEP(MGF1(SHA256()), SHA256(), None)).decode("ascii")
        except (ValueError, binascii.Error):
            raise LoginRefused(f"{self.name}: what the registry seals for it is not for this private key") from None
