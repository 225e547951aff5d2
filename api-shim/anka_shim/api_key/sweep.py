"""Removes API keys that have expired. They log nobody in meanwhile; this keeps the list short."""

import asyncio
import logging

from anka_crds.api import ApiKey
from anka_crds.resources import API_KEYS
from anka_kube.client import KubeClient
from anka_kube.errors import ApiError, Conflict, NotFound
from anka_runtime.background import Background
from anka_runtime.clock import Clock, Sleep
from anka_runtime.repetition import CAUSE
from anka_shim.store.caches import Stores

log = logging.getLogger(__name__)


class ApiKeySweep(Background):
    """Each replica sweeps: a deletion names the version that has expired, so a second one does nothing, and a key that
    was prolonged meanwhile stays."""

    def __init__(
        self, client: KubeClient, stores: Stores, clock: Clock, seconds: float, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._client = client
        self._stores = stores
        self._clock = clock
        self._seconds = seconds
        self._sleep = sleep

    @property
    def task_name(self) -> str:
        return "sweep of API keys"

    async def run(self) -> None:
        while True:
            await self._sleep(self._seconds)
            await self.sweep()

    async def sweep(self) -> None:
        for key in [key for key in self._stores.api_keys if key.spec.expires_at <= self._clock.now()]:
            await self._remove(key)

    async def _remove(self, key: ApiKey) -> None:
        meta = key.metadata
        try:
            await self._client.delete(API_KEYS, meta.name, uid=meta.uid, resource_version=meta.resource_version)
        except (NotFound, Conflict):
            return
        except ApiError as error:
            log.warning("an expired API key cannot be removed: %s", error, extra={"object": meta.name, CAUSE: "sweep"})
            return
        log.info("expired API key removed", extra={"api_key": key.spec.id, "object": meta.name})
