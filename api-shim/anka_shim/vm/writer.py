"""Creates the instances of a start request: one API write each, one more for a large script, and no reads."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import AnkaInstanceSpec
from anka_kube.client import KubeClient
from anka_kube.errors import AlreadyExists, ApiError, Unreachable
from anka_kube.store import Store
from anka_kube.unstructured import SECRETS
from anka_shim.failure import Failure
from anka_shim.ids import rest_id
from anka_shim.requester import requester_annotations
from anka_shim.store.writes import Deadline, WriteCoordinator, client_message
from anka_shim.vm.idempotency import CreateFailed, IdempotentCreates
from anka_shim.vm.idempotency_key import StartKey, attempt_of, random_key
from anka_shim.vm.rollback import Rollback
from anka_shim.vm.stored_script import build_secrets, describe_share, find_large_script, refer_to_script


class InstanceWriter:
    """Creates, in the time that `writes` gives. Results are in the store when a call returns. `inline_bytes`: scripts
    of one request that take more are stored once, beside its instances."""

    def __init__(
        self,
        client: KubeClient,
        store: Store[AnkaInstance],
        *,
        namespace: str,
        writes: WriteCoordinator,
        creates: IdempotentCreates,
        rollback: Rollback,
        inline_bytes: int,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._client = client
        self._store = store
        self._namespace = namespace
        self._writes = writes
        self._creates = creates
        self._rollback = rollback
        self._inline_bytes = inline_bytes
        self._new_id = new_id

    async def create(
        self, spec: AnkaInstanceSpec, count: int, key: StartKey | None = None, *, namespace: str | None = None
    ) -> list[str]:
        """Create `count` instances: all or none. When one fails, those that were made are deleted again and Failure
        is raised: a client that reads FAIL keeps no ids, and would never end them. With `key`, instances that an
        earlier or simultaneous request has made for the same key are taken instead. `namespace`: if not where all are
        made."""
        attempt = self._new_id() if key is not None else ""
        key = key or random_key(self._new_id())
        annotations: Mapping[str, str] = requester_annotations()
        script = find_large_script(spec, count, self._inline_bytes)
        if script is not None:
            # Each attempt has a Secret of its own: what another one takes back may be gone at any moment.
            spec, annotations = (
                refer_to_script(spec, attempt or key.slot(0)),
                {**annotations, **describe_share(script, count)},
            )
        batch = _Batch(count, attempt, spec, annotations, script, namespace or self._namespace)
        work = asyncio.ensure_future(self._create_all(batch, key))
        try:
            # Shielded: when a client hangs up, the outcome of its creations must still be known.
            await asyncio.shield(work)
        except asyncio.CancelledError:
            work.add_done_callback(lambda _: self._undo(batch))
            raise
        if batch.failure is not None:
            self._undo(batch)
            if isinstance(batch.failure, Failure):
                raise batch.failure
            raise Failure(client_message(batch.failure, "start the VM")) from batch.failure
        return batch.ids

    async def _create_all(self, batch: _Batch, key: StartKey) -> None:
        """All writes for one request; afterwards all replicas show them."""
        deadline = self._writes.deadline(many=len(batch.ids) > 1)
        places = range(len(batch.ids))
        if key.repeatable:
            # The first shows whether the key was used for another request: then no more are made.
            await self._create(batch, 0, key, deadline)
            places = places[1:]
        if len(places) == 1:
            # By far the most common case: no task is needed.
            await self._create(batch, places[0], key, deadline)
        else:
            await asyncio.gather(*(self._create(batch, place, key, deadline) for place in places))
        if batch.script is not None and batch.failure is None:
            await self._store_script(batch, batch.script, deadline)
        if batch.failure is None:
            await self._writes.publish(self._store, *batch.objects)

    async def _store_script(self, batch: _Batch, content: str, deadline: Deadline) -> None:
        """After the instances: it belongs to them from its first moment, so it never outlives them, whatever fails."""
        for body in build_secrets(content, batch.objects):
            try:
                async with self._writes.slot(deadline):
                    await deadline.run(self._client.create(SECRETS, body, batch.namespace, deadline=deadline.seconds))
            except AlreadyExists:
                # Another request with the same key stored it.
                continue
            except ApiError as error:
                batch.fail(error)

    async def _create(self, batch: _Batch, place: int, key: StartKey, deadline: Deadline) -> None:
        try:
            async with self._writes.slot(deadline):
                if batch.failure is None:
                    obj = await self._creates.ensure(
                        key, place, batch.spec, batch.annotations, batch.attempt, deadline, namespace=batch.namespace
                    )
                    batch.add(place, obj, rest_id(obj.metadata, self._namespace))
                    self._store.apply_written(obj)
                    deadline.extend()
        except CreateFailed as error:
            batch.fail(error.error)
            if error.may_exist:
                batch.unknown.append(error.name)
        except (ApiError, Failure) as error:
            batch.fail(error)

    def _undo(self, batch: _Batch) -> None:
        self._rollback.start(batch.namespace, batch.created, batch.unknown, attempt=batch.attempt)


class _Batch:
    """One request's instances, as far as they are written. `attempt`: marks what this attempt makes of a request that
    may be repeated; empty for one that may not. `script`: to be stored beside them."""

    def __init__(
        self,
        count: int,
        attempt: str,
        spec: AnkaInstanceSpec,
        annotations: Mapping[str, str],
        script: str | None,
        namespace: str,
    ) -> None:
        self.attempt = attempt
        self.spec = spec
        self.annotations = annotations
        self.script = script
        self.namespace = namespace
        self.ids = [""] * count
        self.objects: list[AnkaInstance] = []
        self.created: list[str] = []
        self.unknown: list[str] = []
        self.failure: ApiError | Failure | None = None

    def add(self, place: int, obj: AnkaInstance, id_: str) -> None:
        self.ids[place] = id_
        self.objects.append(obj)
        if attempt_of(obj) == self.attempt:
            self.created.append(obj.metadata.name)

    def fail(self, error: ApiError | Failure) -> None:
        """The client gets the first failure. One that says what the API answered is better than one without."""
        if self.failure is None or (isinstance(self.failure, Unreachable) and self.failure.__cause__ is None):
            self.failure = error
