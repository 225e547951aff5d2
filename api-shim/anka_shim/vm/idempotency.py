"""Creates an instance once, however often and at whatever replicas a request arrives."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.resources import INSTANCES
from anka_kube.client import KubeClient
from anka_kube.errors import AlreadyExists, ApiError, Conflict, NotFound
from anka_runtime.clock import Clock
from anka_shim.annotations import ATTEMPT
from anka_shim.store.caches import BY_SLOT, Stores
from anka_shim.store.writes import Deadline
from anka_shim.vm.idempotency_key import KEPT, TAKEN_BACK, StartKey, attempt_of, check, find_repeated, free_name
from anka_shim.vm.request import instance_manifest
from anka_shim.vm.rollback import may_exist


class CreateFailed(Exception):
    """Creating the object with this name failed. `may_exist`: it may exist all the same."""

    def __init__(self, name: str, error: ApiError, *, may_exist: bool) -> None:
        super().__init__(str(error))
        self.name = name
        self.error = error
        self.may_exist = may_exist


FindGone = Callable[[str], Sequence[AnkaInstance]]
"""Instances of a slot that are gone, while they are still shown."""


class IdempotentCreates:
    """Creates instances by the slot that all repeats of one request share."""

    def __init__(
        self, client: KubeClient, stores: Stores, find_gone: FindGone, clock: Clock, *, namespace: str
    ) -> None:
        self._client = client
        self._stores = stores
        self._find_gone = find_gone
        self._clock = clock
        self._namespace = namespace

    async def ensure(
        self,
        key: StartKey,
        index: int,
        spec: AnkaInstanceSpec,
        annotations: Mapping[str, str],
        attempt: str,
        deadline: Deadline,
        *,
        namespace: str | None = None,
    ) -> AnkaInstance:
        """The instance of this slot: made now, as its attempt shows, or by an earlier request. Raises Failure when
        the key was used for something else, CreateFailed when a creation failed, ApiError. `namespace`: if not where
        all are made."""
        slot = key.slot(index)
        annotations = {**annotations, **key.annotations(index, attempt)}
        existing = {obj.metadata.uid: obj for obj in self._stores.instances.by_index(BY_SLOT, slot)}
        while True:
            gone = [obj for obj in self._find_gone(slot) if obj.metadata.uid not in existing]
            found = find_repeated([*existing.values(), *gone], key, self._clock.now())
            if found is None:
                name = free_name([*existing.values()], slot)
                body = instance_manifest(name, namespace or self._namespace, spec, annotations)
                made = await self._create(body, deadline)
                if attempt_of(made) == attempt:
                    return made
                existing[made.metadata.uid] = made
                continue
            check(found, key)
            ended = found.metadata.uid not in existing or found.metadata.deletion_timestamp is not None
            if ended or attempt_of(found) in (KEPT, attempt):
                return found
            kept = await self._keep(found, deadline)
            if kept is None:
                del existing[found.metadata.uid]
            else:
                existing[kept.metadata.uid] = kept

    async def _create(self, body: dict[str, Any], deadline: Deadline) -> AnkaInstance:
        """A new object; the one that has its name already; or, when that vanished meanwhile, a new one after all."""
        client, name, namespace = self._client, body["metadata"]["name"], body["metadata"]["namespace"]
        while True:
            try:
                return await deadline.run(client.create(INSTANCES, body, namespace, deadline=deadline.seconds))
            except AlreadyExists:
                try:
                    return await deadline.run(client.get(INSTANCES, name, namespace, deadline=deadline.seconds))
                except NotFound:
                    continue
                except ApiError as error:
                    raise CreateFailed(name, error, may_exist=True) from error
            except ApiError as error:
                raise CreateFailed(name, error, may_exist=may_exist(error)) from error

    async def _keep(self, obj: AnkaInstance, deadline: Deadline) -> AnkaInstance | None:
        """Show the attempt that made it that another request now has it, too: it must not be taken back any more.
        Returns the updated object, None if it is gone."""
        patch = {"metadata": {"annotations": {ATTEMPT: KEPT}}}
        name, namespace = obj.metadata.name, obj.metadata.namespace
        while attempt_of(obj) not in (KEPT, TAKEN_BACK):
            try:
                version, seconds = obj.metadata.resource_version, deadline.seconds
                obj = await deadline.run(
                    self._client.patch(INSTANCES, name, patch, namespace, resource_version=version, deadline=seconds)
                )
            except Conflict:
                try:
                    obj = await deadline.run(self._client.get(INSTANCES, name, namespace, deadline=deadline.seconds))
                except NotFound:
                    return None
            except NotFound:
                return None
        return obj
