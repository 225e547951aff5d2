"""Writes of controllers: no write that changes nothing, and what was written is in the cache at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic

from anka_crds.kube import merge_patch, metrics
from anka_crds.kube.client import DEADLINE_SECONDS, KubeClient
from anka_crds.kube.errors import Conflict, NotFound
from anka_crds.kube.resource import M, Resource, key_of
from anka_crds.kube.store import Store

ATTEMPTS = 5
"""Tries of a write that is not guarded, against objects that others change all the time."""


Fence = Callable[[], None]
"""Asked right before each request is sent; raises when it must not be."""


class Writer(Generic[M]):
    """Patches objects of one kind. With a `store`, every result is merged into it before the call returns.

    `fence` keeps a process from writing that was the leader once: one that was frozen finds out only when it wakes up.
    """

    def __init__(
        self, client: KubeClient, resource: Resource[M], store: Store[M] | None = None, *, fence: Fence | None = None
    ) -> None:
        self._client = client
        self._resource = resource
        self._store = store
        self._fence = fence or (lambda: None)

    async def patch_status(
        self, obj: M, status: Mapping[str, Any], *, guarded: bool, deadline: float = DEADLINE_SECONDS
    ) -> M:
        """Merge `status` into the status of `obj`; None deletes a key, lists are replaced whole.

        Returns the result, or the object as it is when nothing would change (then nothing is sent: a no-op write
        costs the apiserver as much as a real one).
        `guarded`: only if the object is still exactly what `obj` is, else Conflict: for decisions made from it.
        Not guarded: whatever else changed meanwhile, but only if it is still the same object (by uid), else NotFound:
        for facts about it.
        """
        return await self._patch(obj, {"status": status}, "status", guarded, deadline)

    async def put_status(self, obj: M, status: Mapping[str, Any], *, deadline: float = DEADLINE_SECONDS) -> M:
        """As a guarded `patch_status`, for who alone writes this status: what this version of us doesn't know in it is
        lost. The apiserver need not read the object, patch its JSON and read it again: a tenth of the write's cost.
        """
        self._fence()
        metadata = obj.metadata
        current = self._resource.dump(obj).get("status")
        body = {
            "metadata": {
                "name": metadata.name,
                **({"namespace": metadata.namespace} if metadata.namespace else {}),
                "uid": metadata.uid,
                "resourceVersion": metadata.resource_version,
            },
            "status": merge_patch.apply(current, merge_patch.prepare(status)),
        }
        return self._stored(await self._client.replace(self._resource, body, subresource="status", deadline=deadline))

    async def patch(self, obj: M, patch: Mapping[str, Any], *, guarded: bool, deadline: float = DEADLINE_SECONDS) -> M:
        """The same for everything but the status: spec, labels, finalizers."""
        return await self._patch(obj, patch, None, guarded, deadline)

    async def _patch(
        self, obj: M, patch: Mapping[str, Any], subresource: str | None, guarded: bool, deadline: float
    ) -> M:
        body = merge_patch.prepare(patch)
        for _ in range(ATTEMPTS):
            if not merge_patch.changes(self._resource.dump(obj), body):
                metrics.SKIPPED_WRITES.labels(self._resource.label).inc()
                return obj
            try:
                written = await self._send(obj, body, subresource, deadline)
                return self._written(written) if subresource is None else self._stored(written)
            except Conflict:
                # Every write carries the version: a merge patch on a status ignores a uid in it (seen on 1.37), so
                # only the version keeps a late write off a successor of the same name.
                if guarded:
                    raise
                obj = await self._same_object(obj, deadline)
        raise Conflict(409, "Conflict", f"changed {ATTEMPTS} times while we wrote", action=self._name(obj))

    async def _send(self, obj: M, body: Mapping[str, Any], subresource: str | None, deadline: float) -> M:
        self._fence()
        return await self._client.patch(
            self._resource,
            obj.metadata.name or "",
            body,
            obj.metadata.namespace,
            subresource=subresource,
            resource_version=obj.metadata.resource_version,
            deadline=deadline,
        )

    async def _same_object(self, obj: M, deadline: float) -> M:
        """The object as it is now. Raises NotFound when it is gone, or another one took its name."""
        current = await self._client.get(
            self._resource, obj.metadata.name or "", obj.metadata.namespace, deadline=deadline
        )
        if current.metadata.uid != obj.metadata.uid:
            raise NotFound(404, "NotFound", "replaced by another object of this name", action=self._name(obj))
        return current

    def _name(self, obj: M) -> str:
        return f"patch {self._resource.label} {'/'.join(filter(None, key_of(obj)))}"

    def _written(self, result: M) -> M:
        if self._store is not None and self._finalized(result):
            self._store.apply_deleted(result)
            return result
        return self._stored(result)

    def _stored(self, result: M) -> M:
        """What still is there for certain: only a write of the object itself can take its last finalizer."""
        if self._store is not None:
            self._store.apply_written(result)
        return result

    def _finalized(self, result: M) -> bool:
        """Whether this write took away the last finalizer of an object being deleted: then it is gone."""
        metadata = self._resource.dump(result).get("metadata", {})
        return bool(metadata.get("deletionTimestamp")) and not metadata.get("finalizers")

    async def create(self, obj: M | dict[str, Any], namespace: str | None = None) -> M:
        """Create, and have it in the store."""
        self._fence()
        return self._written(await self._client.create(self._resource, obj, namespace))

    async def delete(self, obj: M) -> M | None:
        """Delete this very object (by uid); what the store shows is what the API answered."""
        self._fence()
        left = await self._client.delete(
            self._resource, obj.metadata.name or "", obj.metadata.namespace, uid=obj.metadata.uid
        )
        if self._store is not None:
            if left is None:
                self._store.apply_deleted(obj)
            else:
                self._store.apply_written(left)
        return left
