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
from anka_crds.kube.errors import ApiError, Conflict, NotFound
from anka_crds.kube.kinds import INSTANCES
from anka_crds.kube.store import Store
from anka_shim.cloud.once import NotMade, Slots
from anka_shim.cloud.slots import Deadline, WriteSlots
from anka_shim.cloud.told import told
from anka_shim.cloud.undo import Undo, may_exist
from anka_shim.translate.failure import NOT_FOUND, Failure
from anka_shim.translate.instance import id_of
from anka_shim.translate.manifest import manifest
from anka_shim.translate.once import Once, attempt_of


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
        repeats: Slots,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._client = client
        self._store = store
        self._undo = undo
        self._namespace = namespace
        self._slots = slots
        self._repeats = repeats
        self._new_id = new_id

    async def start(self, spec: AnkaInstanceSpec, count: int, wanted: Once | None = None) -> list[str]:
        """Create `count` instances: all or none. When one fails, those that were made are deleted again and Failure
        is raised: a client that reads FAIL keeps no ids, so nobody would ever end them. With `wanted`, instances that
        an earlier or simultaneous request has made for the same are taken instead."""
        batch = _Batch(count, self._new_id() if wanted is not None else None)
        work = asyncio.ensure_future(self._all(batch, spec, wanted))
        try:
            # Shielded: a client that hangs up must not leave creations behind whose outcome nobody learns.
            await asyncio.shield(work)
        except asyncio.CancelledError:
            work.add_done_callback(lambda _: self._take_back(batch))
            raise
        if batch.failure is not None:
            self._take_back(batch)
            if isinstance(batch.failure, Failure):
                raise batch.failure
            raise Failure(told(batch.failure, "start the VM")) from batch.failure
        return batch.ids

    async def _all(self, batch: _Batch, spec: AnkaInstanceSpec, wanted: Once | None) -> None:
        """Everything that is written for one request, and read at all replicas then."""
        deadline = self._slots.deadline(many=len(batch.ids) > 1)
        places = range(len(batch.ids))
        if wanted is None:
            await asyncio.gather(*(self._new(batch, place, spec, deadline) for place in places))
        else:
            # The first tells whether the key was used for another request: nothing is made then.
            await self._once(batch, 0, spec, wanted, deadline)
            await asyncio.gather(*(self._once(batch, place, spec, wanted, deadline) for place in places[1:]))
        if batch.failure is None:
            await self._slots.written(self._store, *batch.seen)

    async def _new(self, batch: _Batch, place: int, spec: AnkaInstanceSpec, deadline: Deadline) -> None:
        id_ = batch.ids[place] = self._new_id()
        body = manifest(id_, self._namespace, spec)
        try:
            async with self._slots.take(deadline):
                if batch.failure is None:
                    obj = await deadline.holds(
                        self._client.create(INSTANCES, body, self._namespace, deadline=deadline.seconds)
                    )
                    batch.created.append(id_)
                    self._took(batch, obj)
                    deadline.progressed()
        except ApiError as error:
            batch.fail(error)
            if may_exist(error):
                batch.unknown.append(id_)

    async def _once(self, batch: _Batch, place: int, spec: AnkaInstanceSpec, wanted: Once, deadline: Deadline) -> None:
        attempt = str(batch.attempt)
        try:
            async with self._slots.take(deadline):
                if batch.failure is None:
                    obj = await self._repeats.fill(wanted, place, spec, attempt, deadline)
                    batch.ids[place] = id_of(obj)
                    if attempt_of(obj) == attempt:
                        batch.created.append(obj.metadata.name)
                    self._took(batch, obj)
                    deadline.progressed()
        except NotMade as error:
            batch.fail(error.error)
            if error.may_exist:
                batch.unknown.append(error.name)
        except (ApiError, Failure) as error:
            batch.fail(error)

    def _took(self, batch: _Batch, obj: AnkaInstance) -> None:
        self._store.apply_written(obj)
        batch.seen.append(obj)

    def _take_back(self, batch: _Batch) -> None:
        self._undo.start(self._namespace, batch.created, batch.unknown, attempt=batch.attempt)

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
        await self._slots.written(self._store, result)

    async def terminate(self, obj: AnkaInstance) -> None:
        """Ask for the end of this very instance; done already is done. Raises Failure."""
        if obj.metadata.deletion_timestamp is not None:
            return
        try:
            left = await self._delete(obj.metadata.name, obj.metadata.namespace or self._namespace, obj.metadata.uid)
        except (NotFound, Conflict):
            # Gone, or another object has its name by now: the watch is about to say so too.
            left = None
        if left is None:
            await self._slots.deleted(self._store, obj)
        else:
            await self._slots.written(self._store, left)

    async def terminate_unseen(self, id_: str) -> None:
        """The same for an id that the cache does not have: another replica may have made it just now."""
        if not is_uuid(id_):
            raise Failure(NOT_FOUND)
        try:
            left = await self._delete(id_, self._namespace, None)
        except NotFound:
            raise Failure(NOT_FOUND) from None
        if left is not None:
            await self._slots.written(self._store, left)

    async def _delete(self, name: str, namespace: str, uid: str | None) -> AnkaInstance | None:
        try:
            async with self._slots.take(self._slots.deadline()) as seconds:
                return await self._client.delete(INSTANCES, name, namespace, uid=uid, deadline=seconds)
        except (NotFound, Conflict):
            raise
        except ApiError as error:
            raise Failure(told(error, "terminate the VM")) from error


class _Batch:
    """One request's instances, as far as they are written."""

    def __init__(self, count: int, attempt: str | None) -> None:
        self.attempt = attempt
        self.ids = [""] * count
        self.seen: list[AnkaInstance] = []
        self.created: list[str] = []
        self.unknown: list[str] = []
        self.failure: ApiError | Failure | None = None

    def fail(self, error: ApiError | Failure) -> None:
        """The first failure is what the client is told."""
        self.failure = self.failure or error
