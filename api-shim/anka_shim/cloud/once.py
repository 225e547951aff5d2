"""Starting an instance once, however often and wherever it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import AlreadyExists, ApiError, Conflict, NotFound
from anka_crds.kube.kinds import INSTANCES
from anka_crds.process.clock import Clock
from anka_shim.cloud.caches import BY_SLOT, Stores
from anka_shim.cloud.slots import Deadline
from anka_shim.cloud.undo import may_exist
from anka_shim.translate.manifest import manifest
from anka_shim.translate.once import ATTEMPT, KEPT, TAKEN_BACK, Once, attempt_of, check, free_name, repeated


class NotMade(Exception):
    """An object of this name could not be created, or not surely: then `may_exist`."""

    def __init__(self, name: str, error: ApiError, *, may_exist: bool) -> None:
        super().__init__(str(error))
        self.name = name
        self.error = error
        self.may_exist = may_exist


Gone = Callable[[str], Sequence[AnkaInstance]]
"""Instances of a slot that are gone, while they are still shown."""


class Slots:
    """Instances by the slot that repeats of one request share."""

    def __init__(self, client: KubeClient, stores: Stores, gone: Gone, clock: Clock, *, namespace: str) -> None:
        self._client = client
        self._stores = stores
        self._gone = gone
        self._clock = clock
        self._namespace = namespace

    async def fill(
        self, wanted: Once, index: int, spec: AnkaInstanceSpec, attempt: str, deadline: Deadline
    ) -> AnkaInstance:
        """The instance of this slot: made now, which its attempt tells, or by whoever asked first. Raises Failure when
        the key was used for something else, NotMade when a creation failed, ApiError."""
        slot = wanted.slot(index)
        existing = {obj.metadata.uid: obj for obj in self._stores.instances.by_index(BY_SLOT, slot)}
        while True:
            gone = [obj for obj in self._gone(slot) if obj.metadata.uid not in existing]
            found = repeated([*existing.values(), *gone], wanted, self._clock.now())
            if found is None:
                made = await self._create(wanted, index, spec, free_name([*existing.values()], slot), attempt, deadline)
                if attempt_of(made) == attempt:
                    return made
                existing[made.metadata.uid] = made
                continue
            check(found, wanted)
            ended = found.metadata.uid not in existing or found.metadata.deletion_timestamp is not None
            if ended or attempt_of(found) in (KEPT, attempt):
                return found
            kept = await self._keep(found, deadline)
            if kept is None:
                del existing[found.metadata.uid]
            else:
                existing[kept.metadata.uid] = kept

    async def _create(
        self, wanted: Once, index: int, spec: AnkaInstanceSpec, name: str, attempt: str, deadline: Deadline
    ) -> AnkaInstance:
        """A new object; the one that has its name already; or, when that vanished meanwhile, a new one after all."""
        body = manifest(name, self._namespace, spec, wanted.annotations(index, attempt))
        while True:
            try:
                return await deadline.holds(
                    self._client.create(INSTANCES, body, self._namespace, deadline=deadline.seconds)
                )
            except AlreadyExists:
                try:
                    return await deadline.holds(
                        self._client.get(INSTANCES, name, self._namespace, deadline=deadline.seconds)
                    )
                except NotFound:
                    continue
                except ApiError as error:
                    raise NotMade(name, error, may_exist=True) from error
            except ApiError as error:
                raise NotMade(name, error, may_exist=may_exist(error)) from error

    async def _keep(self, obj: AnkaInstance, deadline: Deadline) -> AnkaInstance | None:
        """Tell the attempt that made it that it is in other hands now, too: it must not be taken back any more. Gives
        the object as it is then, None when it is gone."""
        patch = {"metadata": {"annotations": {ATTEMPT: KEPT}}}
        name, namespace = obj.metadata.name, obj.metadata.namespace
        while attempt_of(obj) not in (KEPT, TAKEN_BACK):
            try:
                obj = await deadline.holds(
                    self._client.patch(
                        INSTANCES,
                        name,
                        patch,
                        namespace,
                        resource_version=obj.metadata.resource_version,
                        deadline=deadline.seconds,
                    )
                )
            except Conflict:
                try:
                    obj = await deadline.holds(self._client.get(INSTANCES, name, namespace, deadline=deadline.seconds))
                except NotFound:
                    return None
            except NotFound:
                return None
        return obj
