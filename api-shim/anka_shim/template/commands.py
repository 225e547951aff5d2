"""What REST does to templates: it changes the registry, through the registry's own API. All replicas know it before the
answer is sent (decision 15)."""

import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from anka_crds.api import AnkaTemplate
from anka_crds.api.meta import READ_REQUEST, REGISTRY_DELETION
from anka_kube.store import Store
from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError, RegistryRefused
from anka_shim.failure import Failure
from anka_shim.requester import requester_annotations
from anka_shim.store.object_writer import ObjectWriter
from anka_shim.store.registry_watch import NO_REGISTRY
from anka_shim.store.writes import WriteCoordinator
from anka_shim.template.request import RevertOptions

log = logging.getLogger(__name__)

READ_AGAIN = "have the template read again"
NOTHING: Mapping[str, str] = {}


class TemplateCommands:
    """Every method raises Failure, with the registry's own words if it refuses. `follow_seconds`: how long an answer
    waits for the AnkaTemplate to follow."""

    def __init__(
        self,
        registry: RegistryClient | None,
        templates: Store[AnkaTemplate],
        writer: ObjectWriter[AnkaTemplate],
        writes: WriteCoordinator,
        *,
        follow_seconds: float,
    ) -> None:
        self._registry = registry
        self._templates = templates
        self._writer = writer
        self._writes = writes
        self._follow_seconds = follow_seconds

    async def delete(self, id_: str) -> None:
        """With all its versions."""
        with self._require_registry("delete the template") as registry:
            await registry.delete(id_)
        token = str(uuid.uuid4())
        await self._follow(id_, {REGISTRY_DELETION: token, **requester_annotations()})

    async def revert(self, id_: str, wanted: RevertOptions) -> None:
        """Remove this version and all newer ones; the newest alone if neither tag nor number is given."""
        with self._require_registry("revert the template") as registry:
            await registry.revert(id_, tag=wanted.tag, number=wanted.number)
        await self._follow(id_)

    async def _follow(self, id_: str, annotations: Mapping[str, str] = NOTHING) -> None:
        """Wait until the operator has read the template again and every replica has seen what it found. It is done in
        the registry already, so nothing here makes the request fail: a repeated revert would remove one version more.

        `annotations`: what the event log reads on the AnkaTemplate, in the same write.
        """
        mirrored = self._templates.get(id_)
        if mirrored is None:
            return
        uid, token = mirrored.metadata.uid, str(uuid.uuid4())

        def has_followed(store: Store[AnkaTemplate]) -> bool:
            obj = store.get(id_)
            return obj is None or obj.metadata.uid != uid or obj.status.read_request == token

        try:
            await self._writer.annotate(id_, {READ_REQUEST: token, **annotations}, action=READ_AGAIN)
            await self._templates.wait_for(has_followed, self._follow_seconds, key=("", id_))
        except (Failure, TimeoutError) as error:
            why = getattr(error, "message", "") or f"not within {self._follow_seconds:g} s"
            log.warning("the AnkaTemplate does not follow the registry: %s", why, extra={"template": id_})
            return
        current = self._templates.get(id_)
        if current is not None and current.metadata.uid == uid:
            await self._writes.publish(self._templates, current)
        else:
            await self._writes.publish_deletion(self._templates, mirrored)

    @contextmanager
    def _require_registry(self, action: str) -> Iterator[RegistryClient]:
        """Its errors in the block become Failure."""
        if self._registry is None:
            raise Failure(f"cannot {action}: {NO_REGISTRY}")
        try:
            yield self._registry
        except RegistryRefused as error:
            raise Failure(error.message) from error
        except RegistryError as error:
            log.error("cannot %s: %s", action, error)  # noqa: TRY400
            raise Failure(f"cannot {action}: {error}") from error
