"""Writes of controllers: no write that changes nothing, and what was written is in the cache at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

from anka_crds.kube import merge_patch, metrics
from anka_crds.kube.client import DEADLINE_SECONDS, KubeClient
from anka_crds.kube.resource import M, Resource
from anka_crds.kube.store import Store


class Writer(Generic[M]):
    """Patches objects of one kind. With a `store`, every result is merged into it before the call returns."""

    def __init__(self, client: KubeClient, resource: Resource[M], store: Store[M] | None = None) -> None:
        self._client = client
        self._resource = resource
        self._store = store

    async def patch_status(
        self, obj: M, status: Mapping[str, Any], *, guarded: bool, deadline: float = DEADLINE_SECONDS
    ) -> M:
        """Merge `status` into the status of `obj`; None deletes a key, lists are replaced whole.

        Returns the result, or `obj` itself when nothing would change (then nothing is sent: a no-op write costs the
        apiserver as much as a real one). `guarded`: only if the object is still exactly what `obj` is, else Conflict.
        """
        return await self._patch(obj, {"status": status}, "status", guarded, deadline)

    async def patch(self, obj: M, patch: Mapping[str, Any], *, guarded: bool, deadline: float = DEADLINE_SECONDS) -> M:
        """The same for everything but the status: spec, labels, finalizers."""
        return await self._patch(obj, patch, None, guarded, deadline)

    async def _patch(
        self, obj: M, patch: Mapping[str, Any], subresource: str | None, guarded: bool, deadline: float
    ) -> M:
        body = merge_patch.prepare(patch)
        if not merge_patch.changes(self._resource.dump(obj), body):
            metrics.SKIPPED_WRITES.labels(self._resource.label).inc()
            return obj
        result = await self._client.patch(
            self._resource,
            obj.metadata.name or "",
            body,
            obj.metadata.namespace,
            subresource=subresource,
            resource_version=obj.metadata.resource_version if guarded else None,
            deadline=deadline,
        )
        if self._store is not None:
            if self._finalized(result):
                self._store.apply_deleted(result)
            else:
                self._store.apply_written(result)
        return result

    def _finalized(self, result: M) -> bool:
        """Whether this write took away the last finalizer of an object being deleted: then it is gone."""
        metadata = self._resource.dump(result).get("metadata", {})
        return bool(metadata.get("deletionTimestamp")) and not metadata.get("finalizers")

    async def create(self, obj: M | dict[str, Any], namespace: str | None = None) -> M:
        """Create, and have it in the store."""
        result = await self._client.create(self._resource, obj, namespace)
        if self._store is not None:
            self._store.apply_written(result)
        return result

    async def delete(self, obj: M) -> M | None:
        """Delete this very object (by uid); what the store shows is what the API answered."""
        left = await self._client.delete(
            self._resource, obj.metadata.name or "", obj.metadata.namespace, uid=obj.metadata.uid
        )
        if self._store is not None:
            if left is None:
                self._store.apply_deleted(obj)
            else:
                self._store.apply_written(left)
        return left
