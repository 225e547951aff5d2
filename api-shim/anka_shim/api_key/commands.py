"""What REST does to API keys."""

import asyncio
import logging

from anka_crds.api import ApiKey
from anka_kube.errors import AlreadyExists
from anka_runtime.clock import Clock
from anka_shim.access.public_key import make_pair, normalize
from anka_shim.api_key.request import expiry, key_manifest, object_name
from anka_shim.failure import Failure, refuse
from anka_shim.store.caches import Stores
from anka_shim.store.object_writer import ObjectWriter

log = logging.getLogger(__name__)

MOST_WAITING = 8
"""Requests that wait for a new pair of keys: each takes a core for up to a second."""


class ApiKeyCommands:
    """Every method raises Failure."""

    def __init__(self, stores: Stores, keys: ObjectWriter[ApiKey], clock: Clock) -> None:
        self._stores = stores
        self._keys = keys
        self._clock = clock
        self._making = asyncio.Lock()
        self._waiting = 0

    async def create(self, id_: str, groups: list[str], ttl: int, public_key: str | None) -> str | None:
        """The private key, where one was made."""
        self._check_new(id_)
        if public_key is None:
            private, public = await self._make_pair()
        else:
            private, public = None, _normalize(public_key)
        body = key_manifest(id_, groups, public, expiry(ttl, self._clock.now()))
        try:
            await self._keys.create(body, action="create the API key")
        except Failure as failure:
            if isinstance(failure.__cause__, AlreadyExists):
                raise _taken(id_) from None
            raise
        log.info("API key created", extra={"api_key": id_, "object": object_name(id_)})
        return private

    async def update(self, id_: str, groups: list[str], ttl: int | None) -> None:
        action = "update the API key"
        key = await self._find(id_, action)
        change = {"groups": groups} | ({} if ttl is None else {"expiresAt": expiry(ttl, self._clock.now())})
        await self._keys.merge(key.metadata.name, change, action=action)

    async def delete(self, id_: str) -> None:
        action = "delete the API key"
        await self._keys.remove(await self._find(id_, action), action=action)

    async def _find(self, id_: str, action: str) -> ApiKey:
        """Another replica may have made it just now; people may have made it under another name."""
        return self._stores.api_key(id_) or await self._keys.find(object_name(id_), action=action)

    def _check_new(self, id_: str) -> None:
        if self._stores.api_key(id_) is not None:
            raise _taken(id_)

    async def _make_pair(self) -> tuple[str, str]:
        if self._waiting >= MOST_WAITING:
            raise Failure("too many keys are being made at a time: try again, or give a publicKey")
        self._waiting += 1
        try:
            async with self._making:
                return await asyncio.to_thread(make_pair)
        finally:
            self._waiting -= 1


def _normalize(public_key: str) -> str:
    try:
        return normalize(public_key)
    except ValueError as error:
        raise refuse("publicKey", str(error), public_key) from None


def _taken(id_: str) -> Failure:
    return refuse("id", "there is an API key called so already", id_)
