"""Writes to objects: one API request each, with the result in the store."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Generic

import orjson

from anka_kube.client import KubeClient
from anka_kube.errors import ApiError, Conflict, NotFound
from anka_kube.resource import M
from anka_kube.store import Store
from anka_shim.failure import NOT_FOUND, Failure, require_found
from anka_shim.requester import requester_annotations
from anka_shim.store.storage_budget import OBJECT_BYTES, StorageBudget
from anka_shim.store.writes import Deadline, WriteCoordinator, client_message

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""What can be the name of an object: no other is looked up."""


class ObjectWriter(Generic[M]):
    """One kind. What is written is in the store when a call returns. Every method raises Failure, which says that
    `action` could not be done."""

    def __init__(self, client: KubeClient, store: Store[M], writes: WriteCoordinator, budget: StorageBudget) -> None:
        self._client = client
        self._store = store
        self._writes = writes
        self._budget = budget

    async def find(self, name: str, *, action: str) -> M:
        """The object to write: from the cache, else from the API, as another replica may have made it just now."""
        found = self._store.get(name)
        if found is None and _NAME.fullmatch(name):
            found = await self._read(name, self._writes.deadline(), action)
        return require_found(found)

    async def create(self, body: dict[str, Any], *, action: str) -> M:
        if who := requester_annotations():
            metadata = body["metadata"]
            body = {**body, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **who}}}
        with self._budget.reserve(OBJECT_BYTES + len(orjson.dumps(body))):
            async with self._slot(self._writes.deadline(), action) as seconds:
                made = await self._client.create(self._store.resource, body, deadline=seconds)
        await self._writes.publish(self._store, made)
        return made

    async def merge(self, name: str, spec: dict[str, Any], *, action: str, namespace: str | None = None) -> None:
        """Merge into the object's spec, whatever it is by now. Writes nothing for an empty `spec`."""
        if not spec:
            return
        patch = {"spec": spec}
        try:
            with self._budget.reserve(len(orjson.dumps(patch))):
                async with self._slot(self._writes.deadline(), action, NotFound) as seconds:
                    written = await self._client.patch(self._store.resource, name, patch, namespace, deadline=seconds)
        except NotFound:
            raise Failure(NOT_FOUND) from None
        await self._writes.publish(self._store, written)

    async def annotate(self, name: str, annotations: dict[str, str], *, action: str) -> M:
        """Merge into the object's annotations, whatever it is by now."""
        patch = {"metadata": {"annotations": annotations}}
        try:
            async with self._slot(self._writes.deadline(), action, NotFound) as seconds:
                written = await self._client.patch(self._store.resource, name, patch, deadline=seconds)
        except NotFound:
            raise Failure(NOT_FOUND) from None
        self._store.apply_written(written)
        return written

    async def rewrite(self, name: str, change: Callable[[M], dict[str, Any] | None], *, action: str) -> bool:
        """A merge patch that depends on the current object: lists are replaced whole, so two writers must not miss each
        other. `change` returns None if there is nothing to do. False if the object is gone."""
        deadline = self._writes.deadline()
        obj = self._store.get(name)
        while obj is not None:
            patch = change(obj)
            if patch is None:
                return True
            version = obj.metadata.resource_version
            try:
                async with self._slot(deadline, action, Conflict, NotFound) as seconds:
                    written = await self._client.patch(
                        self._store.resource, name, patch, resource_version=version, deadline=seconds
                    )
            except Conflict:
                obj = await self._read(name, deadline, action)
            except NotFound:
                return False
            else:
                await self._writes.publish(self._store, written)
                return True
        return False

    async def remove(self, obj: M, *, action: str) -> None:
        """Delete exactly this object; one that is already gone is fine."""
        meta = obj.metadata
        try:
            left = await self._delete(str(meta.name), meta.namespace, meta.uid, action)
        except (NotFound, Conflict):
            # Gone, or another object now has its name: the watch will soon report it, too.
            left = None
        if left is None:
            await self._writes.publish_deletion(self._store, obj)
        else:
            await self._writes.publish(self._store, left)

    async def remove_uncached(self, name: str, namespace: str, *, action: str) -> None:
        """The same for a name that the cache does not have: another replica may have made it just now."""
        try:
            left = await self._delete(name, namespace, None, action)
        except NotFound:
            raise Failure(NOT_FOUND) from None
        if left is not None:
            await self._writes.publish(self._store, left)

    async def _delete(self, name: str, namespace: str | None, uid: str | None, action: str) -> M | None:
        async with self._slot(self._writes.deadline(), action, Conflict, NotFound) as seconds:
            return await self._client.delete(self._store.resource, name, namespace, uid=uid, deadline=seconds)

    async def _read(self, name: str, deadline: Deadline, action: str) -> M | None:
        """The object as the API has it now; None when it is gone."""
        try:
            async with self._slot(deadline, action, NotFound) as seconds:
                obj = await self._client.get(self._store.resource, name, deadline=seconds)
        except NotFound:
            return None
        self._store.apply_written(obj)
        return obj

    @asynccontextmanager
    async def _slot(self, deadline: Deadline, action: str, *expected: type[ApiError]) -> AsyncIterator[float]:
        """The seconds left for one request. Its errors become Failure, but for those that the caller expects."""
        try:
            async with self._writes.slot(deadline) as seconds:
                yield seconds
        except expected:
            raise
        except ApiError as error:
            raise Failure(client_message(error, action)) from error
