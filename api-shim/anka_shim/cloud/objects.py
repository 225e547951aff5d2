"""Writes to objects without a namespace: groups and nodes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic

from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import ApiError, Conflict, NotFound
from anka_crds.kube.resource import M
from anka_crds.kube.store import Store
from anka_shim.cloud.slots import Deadline, WriteSlots
from anka_shim.cloud.told import told
from anka_shim.translate.failure import NOT_FOUND, Failure

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""What can be an object's name: the API is asked for nothing else."""


class Objects(Generic[M]):
    """One kind. What is written is in the store when a call returns. Every method raises Failure, which says that
    `what` could not be done."""

    def __init__(self, client: KubeClient, store: Store[M], slots: WriteSlots) -> None:
        self._client = client
        self._store = store
        self._slots = slots

    async def find(self, name: str, *, what: str) -> M:
        """To be written: from the cache, else from the API, as another replica may have made it just now."""
        found = self._store.get(name)
        if found is None and _NAME.fullmatch(name):
            found = await self._fresh(name, self._slots.deadline(), what)
        if found is None:
            raise Failure(NOT_FOUND)
        return found

    async def create(self, body: dict[str, Any], *, what: str) -> M:
        try:
            async with self._slots.take(self._slots.deadline()) as seconds:
                made = await self._client.create(self._store.resource, body, deadline=seconds)
        except ApiError as error:
            raise Failure(told(error, what)) from error
        await self._slots.written(self._store, made)
        return made

    async def merge(self, name: str, patch: dict[str, Any], *, what: str) -> None:
        """A merge patch, whatever the object is by now."""
        try:
            async with self._slots.take(self._slots.deadline()) as seconds:
                written = await self._client.patch(self._store.resource, name, patch, deadline=seconds)
        except NotFound:
            raise Failure(NOT_FOUND) from None
        except ApiError as error:
            raise Failure(told(error, what)) from error
        await self._slots.written(self._store, written)

    async def rewrite(self, name: str, change: Callable[[M], dict[str, Any] | None], *, what: str) -> bool:
        """A merge patch that depends on what the object is: lists are replaced whole, so two writers must not miss
        each other. `change` gives None when nothing is to be done. False when the object is gone."""
        deadline = self._slots.deadline()
        obj = self._store.get(name)
        while obj is not None:
            patch = change(obj)
            if patch is None:
                return True
            try:
                async with self._slots.take(deadline) as seconds:
                    written = await self._client.patch(
                        self._store.resource,
                        name,
                        patch,
                        resource_version=obj.metadata.resource_version,
                        deadline=seconds,
                    )
            except Conflict:
                obj = await self._fresh(name, deadline, what)
            except NotFound:
                return False
            except ApiError as error:
                raise Failure(told(error, what)) from error
            else:
                await self._slots.written(self._store, written)
                return True
        return False

    async def remove(self, obj: M, *, what: str) -> None:
        """This very object; one that is gone already is fine."""
        try:
            async with self._slots.take(self._slots.deadline()) as seconds:
                left = await self._client.delete(
                    self._store.resource, str(obj.metadata.name), uid=obj.metadata.uid, deadline=seconds
                )
        except (NotFound, Conflict):
            left = None
        except ApiError as error:
            raise Failure(told(error, what)) from error
        if left is None:
            await self._slots.deleted(self._store, obj)
        else:
            await self._slots.written(self._store, left)

    async def _fresh(self, name: str, deadline: Deadline, what: str) -> M | None:
        """Somebody else wrote it since: their word, read anew."""
        try:
            async with self._slots.take(deadline) as seconds:
                obj = await self._client.get(self._store.resource, name, deadline=seconds)
        except NotFound:
            return None
        except ApiError as error:
            raise Failure(told(error, what)) from error
        self._store.apply_written(obj)
        return obj
