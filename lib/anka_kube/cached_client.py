"""Objects of one kind, as a controller uses them: read from its store, written through the API."""

from collections.abc import Callable, Mapping
from typing import Any, Generic

from anka_kube.client import KubeClient
from anka_kube.errors import NotFound
from anka_kube.resource import M
from anka_kube.store import Store
from anka_kube.writer import Fence, Writer


class CachedClient(Generic[M]):
    """Every write is guarded by the version of the object that it was decided from, and passes `fence`. All methods
    raise ApiError."""

    def __init__(self, client: KubeClient, store: Store[M], *, fence: Fence | None = None) -> None:
        self.store = store
        self._client = client
        self._writer = Writer(client, store.resource, store, fence=fence)

    async def list(self, field_selector: str) -> list[M]:
        """The objects as the API itself has them now."""
        return list((await self._client.list(self.store.resource, field_selector=field_selector)).items)

    async def patch_status(self, obj: M, status: Mapping[str, Any]) -> M:
        return await self._writer.patch_status(obj, status, guarded=True)

    async def patch(self, obj: M, patch: Mapping[str, Any]) -> M:
        """Change anything but the status."""
        return await self._writer.patch(obj, patch, guarded=True)

    async def reread(self, obj: M, is_ours: Callable[[M], bool] = lambda fresh: True) -> bool:
        """Bring the store up to date after a write that the API refused: `obj` has changed there or is deleted.

        An object with another uid, or one that is no longer ours, counts as deleted, as the watch will soon report.
        False: the store already has a newer version, or is about to get one; the next try needs a short pause.
        """
        metadata = obj.metadata
        try:
            fresh = await self._client.get(self.store.resource, metadata.name or "", metadata.namespace)
        except NotFound:
            self.store.apply_deleted(obj)
            return True
        if fresh.metadata.uid != metadata.uid or not is_ours(fresh):
            self.store.apply_deleted(obj)
            return True
        return self.store.apply_written(fresh)
