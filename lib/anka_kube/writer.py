"""Writes of controllers: no write without a change, and each result is in the cache at once."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic

from anka_kube import merge_patch, metrics
from anka_kube.client import DEADLINE_SECONDS, KubeClient
from anka_kube.errors import Conflict, Invalid, NotFound
from anka_kube.resource import M, Resource, key_of
from anka_kube.store import Store

ATTEMPTS = 5
"""Attempts of an unguarded write, for objects that others change all the time."""


Fence = Callable[[], None]
"""Called immediately before each request; raises if it must not be sent."""


class Writer(Generic[M]):
    """Patches objects of one kind. With a `store`, every result is merged into it before the call returns.

    `fence` stops the writes of a former leader: a process that was suspended learns of its loss only after it resumes.
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
        """Merge `status` into the status of `obj`; None deletes a key, lists are replaced.

        Returns the result, or `obj` if nothing would change (then nothing is sent: a no-op write costs the apiserver as
        much as a real one).
        `guarded`, for decisions based on `obj`: applies only if the object still has the version of `obj`; raises
        Conflict otherwise. Not guarded, for facts about it: applies whatever else changed, if it is still the same
        object (by uid); raises NotFound otherwise.
        """
        if guarded and self._resource.keeps_status:
            return await self._put_status(obj, merge_patch.prepare(status), deadline)
        return await self._patch(obj, {"status": status}, "status", guarded, deadline)

    async def _put_status(self, obj: M, status: Mapping[str, Any], deadline: float) -> M:
        """The whole status in a PUT: the apiserver need not turn the object into JSON, patch that and read it again,
        which is a tenth of what a write costs it."""
        current = self._resource.dump(obj).get("status") or {}
        wanted = merge_patch.apply(current, status)
        if wanted == current:
            metrics.SKIPPED_WRITES.labels(self._resource.label).inc()
            return obj
        self._fence()
        metadata = obj.metadata
        body = {
            "metadata": {
                "name": metadata.name,
                **({"namespace": metadata.namespace} if metadata.namespace else {}),
                "uid": metadata.uid,
                "resourceVersion": metadata.resource_version,
            },
            "status": wanted,
        }
        with self._count_refusals():
            written = await self._client.replace(self._resource, body, subresource="status", deadline=deadline)
        return self._store_existing(written)

    async def patch(self, obj: M, patch: Mapping[str, Any], *, guarded: bool, deadline: float = DEADLINE_SECONDS) -> M:
        """The same for everything except the status: spec, labels, finalizers."""
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
                return self._store_result(written) if subresource is None else self._store_existing(written)
            except Conflict:
                # Every write has the version: a merge patch of a status ignores a uid in it (observed on 1.37), so only
                # the version protects a successor of the same name from a late write.
                if guarded:
                    raise
                obj = await self._same_object(obj, deadline)
        raise Conflict(409, "Conflict", f"changed {ATTEMPTS} times while we wrote", action=self._name(obj))

    async def _send(self, obj: M, body: Mapping[str, Any], subresource: str | None, deadline: float) -> M:
        self._fence()
        with self._count_refusals():
            return await self._client.patch(
                self._resource,
                obj.metadata.name or "",
                body,
                obj.metadata.namespace,
                subresource=subresource,
                resource_version=obj.metadata.resource_version,
                deadline=deadline,
            )

    @contextmanager
    def _count_refusals(self) -> Iterator[None]:
        try:
            yield
        except Invalid:
            metrics.REFUSED_WRITES.labels(self._resource.label).inc()
            raise

    async def _same_object(self, obj: M, deadline: float) -> M:
        """The object as it is now. Raises NotFound if it no longer exists, or if another one has its name."""
        current = await self._client.get(
            self._resource, obj.metadata.name or "", obj.metadata.namespace, deadline=deadline
        )
        if current.metadata.uid != obj.metadata.uid:
            raise NotFound(404, "NotFound", "replaced by another object of this name", action=self._name(obj))
        return current

    def _name(self, obj: M) -> str:
        return f"patch {self._resource.label} {'/'.join(filter(None, key_of(obj)))}"

    def _store_result(self, result: M) -> M:
        if self._store is not None and self._is_finalized(result):
            self._store.apply_deleted(result)
            return result
        return self._store_existing(result)

    def _store_existing(self, result: M) -> M:
        """For an object that certainly exists: only a write outside the status can remove its last finalizer."""
        if self._store is not None:
            self._store.apply_written(result)
        return result

    def _is_finalized(self, result: M) -> bool:
        """Whether this write removed the last finalizer of an object being deleted: then it no longer exists."""
        metadata = self._resource.dump(result).get("metadata", {})
        return bool(metadata.get("deletionTimestamp")) and not metadata.get("finalizers")

    async def create(self, obj: M | dict[str, Any], namespace: str | None = None) -> M:
        """Create the object, and merge it into the store."""
        self._fence()
        with self._count_refusals():
            created = await self._client.create(self._resource, obj, namespace)
        return self._store_result(created)

    async def delete(self, obj: M) -> M | None:
        """Delete exactly this object (by uid), and merge the API's answer into the store."""
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
