"""Mirrors the registry into AnkaTemplates, and records which Macs hold them. Only changes are written."""

import asyncio
import logging
import math

from anka_crds.api import AnkaNode, AnkaTemplate, NodeGroup
from anka_crds.api.meta import READ_REQUEST
from anka_crds.rules.references import NameCatalog, is_renaming
from anka_kube.errors import AlreadyExists, Invalid
from anka_kube.store import EventType
from anka_operator.cluster.access import AnkaCluster
from anka_operator.cluster.stores import BY_TEMPLATE
from anka_operator.control_loop import ObjectLoop, run_all
from anka_operator.registry_view.view import RegistryView
from anka_operator.status_patch import StatusPatch
from anka_operator.templates.desired import (
    build_template,
    can_pull,
    compute_status,
    is_removable,
    refusal_status,
    shows,
)
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
SHOW_SECONDS = 5.0
"""Longest wait for an object to follow the registry."""


class TemplateController(ObjectLoop[AnkaTemplate]):
    def __init__(self, cluster: AnkaCluster, clock: Clock, view: RegistryView) -> None:
        super().__init__("templates", cluster.stores.templates, clock, window=0.25, tick=60.0)
        self._cluster = cluster
        self._view = view
        self._must_mirror = True
        """Whether there may be templates without an object, or objects of templates that are gone."""
        self._requests: dict[str, tuple[str, int]] = {}
        """By template: a request to read the registry, and the moment at which it was seen."""
        self.follow(view, self._on_registry)
        self.follow(cluster.stores.templates, self._on_template)
        self.follow(cluster.stores.nodes, self._on_node)
        self.follow(cluster.stores.groups, self._on_group)

    async def run_once(self) -> float | None:
        if self._must_mirror and self._view.error is None:
            self._must_mirror = False
            try:
                await self._mirror()
            except Exception:
                self._must_mirror = True
                raise
        return await super().run_once()

    async def reconcile(self, obj: AnkaTemplate) -> float:
        name, nodes = obj.metadata.name, self._cluster.stores.nodes
        patch = compute_status(
            obj,
            self._view.find(name),
            nodes.by_index(BY_TEMPLATE, name),
            gone=self._view.is_gone(name),
            registry_error=self._view.error,
            is_refused=self._view.is_refused,
            now=self.clock.now(),
            keepers=nodes if obj.spec.distribution else (),
            groups=NameCatalog(self._cluster.stores.groups if obj.spec.distribution else ()),
            read_request=self._fulfil_request(obj),
        )
        if patch is not None:
            await self._write(obj, patch)
        return math.inf

    async def _write(self, obj: AnkaTemplate, patch: StatusPatch) -> None:
        """Raises ApiError, also where a status was refused for good: that is told in the object."""
        write = self._cluster.write.templates
        try:
            await write.patch_status(obj, patch, guarded=False)
        except Invalid as error:
            await write.patch_status(obj, refusal_status(obj, error.message, now=self.clock.now()), guarded=False)
            raise

    async def show(self, uuid: str) -> None:
        """Wait until the object of this template says what the view knows."""
        store, view = self._cluster.stores.templates, self._view

        def is_shown(_: object) -> bool:
            obj, known = store.get(uuid), view.find(uuid)
            if obj is None:
                return known is None
            return shows(obj, known, gone=view.is_gone(uuid))

        self._must_mirror = True
        self.enqueue(("", uuid))
        try:
            await store.wait_for(is_shown, SHOW_SECONDS, key=("", uuid))
        except TimeoutError:
            log.warning("an AnkaTemplate does not follow the registry", extra={"template": uuid})

    def _fulfil_request(self, obj: AnkaTemplate) -> str | None:
        """The request to read the registry that is fulfilled by now. A new one makes the view read it."""
        name, wanted = obj.metadata.name, obj.metadata.annotations.get(READ_REQUEST)
        if wanted is None or wanted == obj.status.read_request or not self._view.has_registry:
            self._requests.pop(name, None)
            return wanted
        if self._requests.get(name, ("", 0))[0] != wanted:
            self._requests[name] = wanted, self._view.take_moment()
            self._view.ask(name).add_done_callback(lambda asked: self._on_asked(name, asked))
        elif self._view.was_read_since(name, self._requests[name][1]):
            return wanted
        return obj.status.read_request

    def _on_asked(self, name: str, asked: asyncio.Future[None]) -> None:
        if asked.cancelled():
            return
        if asked.exception() is None:
            self.enqueue(("", name))
        else:
            self._requests.pop(name, None)
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.enqueue, ("", name))

    async def _mirror(self) -> None:
        """Create objects for templates that are new in the registry, and delete those of templates no longer in it."""
        templates, view = self._cluster.stores.templates, self._view
        await run_all(self._create(uuid) for uuid in view.ids if templates.get(uuid) is None)
        removed = [obj for obj in templates if view.is_gone(obj.metadata.name) and is_removable(obj)]
        await run_all(self._delete(obj) for obj in removed)

    async def _create(self, uuid: str) -> None:
        try:
            await self._cluster.write.templates.create(build_template(uuid))
        except AlreadyExists:
            return  # created by hand meanwhile; its event wakes this loop

    async def _delete(self, template: AnkaTemplate) -> None:
        await self._cluster.write.templates.delete(template)
        log.info("template left the registry", extra={"template": template.metadata.name})

    def _on_registry(self, uuid: str | None) -> None:
        self._must_mirror = True
        if uuid is None:
            self.wake()
        else:
            self.enqueue(("", uuid))

    def _on_template(self, _: EventType, old: AnkaTemplate | None, new: AnkaTemplate | None) -> None:
        """An object that somebody deletes is made again; that of a template which is gone, goes when its rules do."""
        if new is None and old is not None:
            self._requests.pop(old.metadata.name, None)
            self._must_mirror = True
        elif old is not None and new is not None and is_removable(new) and not is_removable(old):
            self._must_mirror = True

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        for uuid, _tag in _holdings(old) ^ _holdings(new):
            self.enqueue(("", uuid))
        if is_renaming(old, new) or _keeper(old) != _keeper(new):
            self._enqueue_with_rules()

    def _on_group(self, _: EventType, old: NodeGroup | None, new: NodeGroup | None) -> None:
        if is_renaming(old, new):
            self._enqueue_with_rules()

    def _enqueue_with_rules(self) -> None:
        for template in self._cluster.stores.templates:
            if template.spec.distribution:
                self.enqueue(("", template.metadata.name))


def _holdings(node: AnkaNode | None) -> set[tuple[str, str | None]]:
    return set() if node is None else {(template.uuid, template.tag) for template in node.status.templates}


def _keeper(node: AnkaNode | None) -> object:
    """What decides whether the rules of templates choose the Mac, beside what it is called."""
    return None if node is None else (node.spec.groups, can_pull(node))
