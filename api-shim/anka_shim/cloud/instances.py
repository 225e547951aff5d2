"""What REST does to instances: start, update, terminate. One write to the API for each instance, no read."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.core.naming import is_uuid
from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import AlreadyExists, ApiError, Conflict, NotFound, ServerError, Unreachable
from anka_crds.kube.kinds import INSTANCES
from anka_crds.kube.store import Store
from anka_shim.cloud.slots import WriteSlots
from anka_shim.cloud.told import told
from anka_shim.cloud.undo import Undo
from anka_shim.translate.failure import NOT_FOUND, Failure
from anka_shim.translate.manifest import manifest


class InstanceCommands:
    """Writes, in the time that `slots` gives. Results are in the store when a call returns: what was written can be
    read."""

    def __init__(
        self,
        client: KubeClient,
        store: Store[AnkaInstance],
        undo: Undo,
        *,
        namespace: str,
        slots: WriteSlots,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._client = client
        self._store = store
        self._undo = undo
        self._namespace = namespace
        self._slots = slots
        self._new_id = new_id

    async def start(self, spec: AnkaInstanceSpec, count: int) -> list[str]:
        """Create `count` instances: all or none. When one fails, those that were made are deleted again and Failure
        is raised: a client that reads FAIL keeps no ids, so nobody would ever end them."""
        deadline = self._slots.deadline()
        first: list[ApiError] = []
        created: list[str] = []
        unknown: list[str] = []

        async def one(id_: str) -> None:
            try:
                async with self._slots.take(deadline) as seconds:
                    if first:
                        return
                    obj = await self._create(id_, spec, seconds)
            except ApiError as error:
                first.append(error)
                if _may_exist(error):
                    unknown.append(id_)
            else:
                created.append(id_)
                self._store.apply_written(obj)

        ids = [self._new_id() for _ in range(count)]
        work = asyncio.gather(*(one(id_) for id_ in ids))
        try:
            # Shielded: a client that hangs up must not leave creations behind whose outcome nobody learns.
            await asyncio.shield(work)
        except asyncio.CancelledError:
            work.add_done_callback(lambda _: self._undo.start(self._namespace, created, unknown))
            raise
        if first:
            self._undo.start(self._namespace, created, unknown)
            raise Failure(told(first[0], "start the VM")) from first[0]
        return ids

    async def _create(self, id_: str, spec: AnkaInstanceSpec, seconds: float) -> AnkaInstance:
        body = manifest(id_, self._namespace, spec)
        return await self._client.create(INSTANCES, body, self._namespace, deadline=seconds)

    async def update(self, obj: AnkaInstance, spec: dict[str, Any], *, what: str = "update the VM") -> None:
        """Merge `spec` into the object's spec. Raises Failure that says that `what` could not be done."""
        if not spec:
            return
        try:
            async with self._slots.take(self._slots.deadline()) as seconds:
                result = await self._client.patch(
                    INSTANCES, obj.metadata.name, {"spec": spec}, obj.metadata.namespace, deadline=seconds
                )
        except NotFound:
            raise Failure(NOT_FOUND) from None
        except ApiError as error:
            raise Failure(told(error, what)) from error
        self._store.apply_written(result)

    async def terminate(self, obj: AnkaInstance) -> None:
        """Ask for the end of this very instance; done already is done. Raises Failure."""
        if obj.metadata.deletion_timestamp is not None:
            return
        try:
            left = await self._delete(obj.metadata.name, obj.metadata.namespace or self._namespace, obj.metadata.uid)
        except (NotFound, Conflict):
            # Gone, or another object has its name by now: the watch is about to say so too.
            self._store.apply_deleted(obj)
            return
        if left is None:
            self._store.apply_deleted(obj)
        else:
            self._store.apply_written(left)

    async def terminate_unseen(self, id_: str) -> None:
        """The same for an id that the cache does not have: another replica may have made it just now."""
        if not is_uuid(id_):
            raise Failure(NOT_FOUND)
        try:
            left = await self._delete(id_, self._namespace, None)
        except NotFound:
            raise Failure(NOT_FOUND) from None
        if left is not None:
            self._store.apply_written(left)

    async def _delete(self, name: str, namespace: str, uid: str | None) -> AnkaInstance | None:
        try:
            async with self._slots.take(self._slots.deadline()) as seconds:
                return await self._client.delete(INSTANCES, name, namespace, uid=uid, deadline=seconds)
        except (NotFound, Conflict):
            raise
        except ApiError as error:
            raise Failure(told(error, "terminate the VM")) from error


def _may_exist(error: ApiError) -> bool:
    """Whether the object can be there although its creation failed."""
    if isinstance(error, Unreachable | ServerError):
        return not error.surely_not_applied
    # Unparsable: it was made, we only did not understand the answer. AlreadyExists: our own repeat met our own object.
    return error.status == 0 or isinstance(error, AlreadyExists)
