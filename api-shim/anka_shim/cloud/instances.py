"""What REST does to instances: start, update, terminate. One write to the API for each instance, no read."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.core.naming import is_uuid
from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from anka_crds.kube.kinds import INSTANCES
from anka_crds.kube.store import Store
from anka_shim.cloud.undo import Undo
from anka_shim.translate.failure import NOT_FOUND, Failure
from anka_shim.translate.manifest import manifest

log = logging.getLogger(__name__)

PARALLEL_WRITES = 32
"""Writes at a time: more only queue inside the apiserver, which works on few at once."""


class InstanceCommands:
    """Writes, each within `seconds`. Results are in the store when a call returns: what was written can be read."""

    def __init__(
        self,
        client: KubeClient,
        store: Store[AnkaInstance],
        undo: Undo,
        *,
        namespace: str,
        seconds: float,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._client = client
        self._store = store
        self._undo = undo
        self._namespace = namespace
        self._seconds = seconds
        self._new_id = new_id
        self._slots = asyncio.Semaphore(PARALLEL_WRITES)

    async def start(self, spec: AnkaInstanceSpec, count: int) -> list[str]:
        """Create `count` instances: all or none. When one fails, those that were made are deleted again and Failure
        is raised: a client that reads FAIL keeps no ids, so nobody would ever end them."""
        deadline = self._deadline()
        first: list[ApiError] = []
        created: list[str] = []
        unknown: list[str] = []

        async def one(id_: str) -> None:
            try:
                async with self._slot(deadline) as seconds:
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
            raise Failure(_told(first[0], "start the VM")) from first[0]
        return ids

    async def _create(self, id_: str, spec: AnkaInstanceSpec, seconds: float) -> AnkaInstance:
        body = manifest(id_, self._namespace, spec)
        return await self._client.create(INSTANCES, body, self._namespace, deadline=seconds)

    async def update(self, obj: AnkaInstance, spec: dict[str, Any]) -> None:
        """Merge `spec` into the object's spec. Raises Failure."""
        if not spec:
            return
        try:
            async with self._slot(self._deadline()) as seconds:
                result = await self._client.patch(
                    INSTANCES, obj.metadata.name, {"spec": spec}, obj.metadata.namespace, deadline=seconds
                )
        except NotFound:
            raise Failure(NOT_FOUND) from None
        except ApiError as error:
            raise Failure(_told(error, "update the VM")) from error
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
            async with self._slot(self._deadline()) as seconds:
                return await self._client.delete(INSTANCES, name, namespace, uid=uid, deadline=seconds)
        except (NotFound, Conflict):
            raise
        except ApiError as error:
            raise Failure(_told(error, "terminate the VM")) from error

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._seconds

    @asynccontextmanager
    async def _slot(self, deadline: float) -> AsyncIterator[float]:
        """Room for one write; gives the seconds that are left for it. Raises Unreachable when there is none in time."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError:
            raise Unreachable("no answer in time", sent=False) from None
        try:
            yield max(0.001, deadline - asyncio.get_running_loop().time())
        finally:
            self._slots.release()


def _may_exist(error: ApiError) -> bool:
    """Whether the object can be there although its creation failed."""
    if isinstance(error, Unreachable | ServerError):
        return not error.surely_not_applied
    # Unparsable: it was made, we only did not understand the answer. AlreadyExists: our own repeat met our own object.
    return error.status == 0 or isinstance(error, AlreadyExists)


def _told(error: ApiError, what: str) -> str:
    """One clear line for the client; the details are in the log."""
    log.error("cannot %s: %s", what, error)
    if isinstance(error, Unreachable):
        return f"cannot {what}: the Kubernetes API does not answer, try again"
    if isinstance(error, TooManyRequests | ServerError):
        return f"cannot {what}: the Kubernetes API is overloaded or in trouble, try again"
    if isinstance(error, Unauthorized | Forbidden):
        return f"cannot {what}: the Kubernetes API refused the API shim's own credentials or rights: {error.message}"
    if isinstance(error, Invalid):
        return f"cannot {what}: {error.message}"
    if isinstance(error, NotFound):
        return f"cannot {what}: the namespace or the custom resource is not there: {error.message}"
    return f"cannot {what}: {error.message or error.reason}"
