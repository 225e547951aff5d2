"""Gives SaveImages to the Macs of their instances, ends those that no agent can end, and deletes saved instances."""

import math

from anka_crds.api import AnkaInstance, AnkaNode, SaveImage
from anka_crds.api.defaults import NODE_LOST_SECONDS
from anka_crds.resources import INSTANCES
from anka_kube.errors import NotFound
from anka_kube.store import EventType
from anka_operator.cluster.access import AnkaCluster
from anka_operator.cluster.stores import BY_INSTANCE
from anka_operator.control_loop import ObjectLoop
from anka_operator.instances.desired import describe_loss
from anka_operator.nodes.desired import offline_since
from anka_operator.nodes.loss import assess_loss
from anka_operator.registry_view.view import RegistryView
from anka_operator.saves import desired
from anka_operator.saves.desired import SaveAction, SaveTransition
from anka_operator.templates.controller import TemplateController
from anka_runtime.clock import Clock

PUBLISH_SECONDS = 60.0
"""A registry that does not answer delays the end of a save by this much at most."""
RETRY_SECONDS = 1.0


class SaveController(ObjectLoop[SaveImage]):
    """`lost_seconds`: how long a node must be Offline before its saves fail."""

    def __init__(
        self,
        cluster: AnkaCluster,
        clock: Clock,
        view: RegistryView,
        templates: TemplateController,
        *,
        lost_seconds: float = NODE_LOST_SECONDS,
        registry_url: str | None = None,
    ) -> None:
        super().__init__("saves", cluster.stores.saves, clock, window=0.01, tick=30.0)
        self._cluster = cluster
        self._view = view
        self._templates = templates
        self._pushed_since: dict[str, float] = {}
        """When pushes were first seen that the registry has not told of yet, by uid."""
        self._lost_seconds = lost_seconds
        self._registry_url = registry_url
        self.follow(cluster.stores.saves, self._on_save)
        self.follow(cluster.stores.instances, self._on_instance)
        self.follow(cluster.stores.nodes, self._on_node)

    async def reconcile(self, obj: SaveImage) -> float:
        if obj.metadata.deletion_timestamp is not None:
            return math.inf
        instance = self._cluster.stores.instances.get(obj.spec.instance, obj.metadata.namespace)
        transition = desired.decide_transition(obj, instance, self._node_loss(obj)[0])
        if transition.instance_missing:
            instance = await self._read_instance(obj)
            transition = desired.decide_transition(obj, instance, None)
        if transition.action is SaveAction.PUBLISH:
            return await self._publish(obj)
        target: str | None = None
        if transition.action is SaveAction.START and instance is not None:
            found = await self._resolve_target(obj, instance)
            if isinstance(found, SaveTransition):
                transition = found
            else:
                target = found
        await self._take(transition, obj, instance, target)
        if obj.status.phase == "Pending":
            return self._node_loss(obj)[1]
        # A request that should be deleted already waits for its instance, or was deleted just now: an event follows.
        return desired.expires_in(obj, self.clock.now()) or math.inf

    async def _publish(self, save: SaveImage) -> float:
        """Done is told once everybody who then starts the template, or looks at it, gets what was pushed. Returns the
        seconds until the next attempt."""
        uid, word = save.metadata.uid, save.target or save.status.vm_uuid or ""
        since = self._pushed_since.setdefault(uid, self.clock.monotonic())
        if save.spec.registry is not None and desired.is_elsewhere(save.spec.registry, self._registry_url):
            # No AnkaTemplate will show it: only the Mac has asked that registry.
            return await self._tell_done(save, is_seen=True)
        is_seen = await self._view.confirm(word)
        if not is_seen and self.clock.monotonic() - since < PUBLISH_SECONDS:
            return RETRY_SECONDS
        for template in self._view.lookup(word) if is_seen else ():
            await self._templates.show(template)
        return await self._tell_done(save, is_seen=is_seen)

    async def _tell_done(self, save: SaveImage, *, is_seen: bool) -> float:
        patch = desired.done_status(save, is_seen=is_seen, now=self.clock.now())
        await self._cluster.write.saves.patch_status(save, patch, guarded=True)
        self._pushed_since.pop(save.metadata.uid, None)
        return math.inf

    async def _resolve_target(self, save: SaveImage, instance: AnkaInstance) -> str | SaveTransition | None:
        word, remote = save.spec.target_template, save.spec.registry or instance.status.registry
        if word is None or desired.is_elsewhere(remote, self._registry_url):
            return None
        if self._view.find(word) is not None:
            return word
        if not await self._view.confirm(word):
            return None
        there = (one for one in self._view.templates() if not self._view.is_gone(one.metadata.name))
        return desired.resolve_target(word, there)

    async def _take(
        self, transition: SaveTransition, save: SaveImage, instance: AnkaInstance | None, target: str | None
    ) -> None:
        write, now = self._cluster.write, self.clock.now()
        if transition.action is SaveAction.START and instance is not None:
            patch = desired.start_status(save, instance, registry=self._registry_url, target=target, now=now)
            await write.saves.patch_status(save, patch, guarded=True)
        elif transition.action is SaveAction.WAIT and not desired.already_reports(save, transition):
            await write.saves.patch_status(save, desired.wait_status(save, transition, now=now), guarded=True)
        elif transition.action is SaveAction.FAIL:
            await write.saves.patch_status(save, desired.failure_status(save, transition, now=now), guarded=True)
        elif transition.action is SaveAction.DELETE_INSTANCE and instance is not None:
            await write.instances.delete(instance)
        elif transition.action is SaveAction.NOTHING and desired.expires_in(save, now) == 0.0:
            await write.saves.delete(save)

    async def _read_instance(self, save: SaveImage) -> AnkaInstance | None:
        """From the API: an instance created a moment ago may not be in the store yet."""
        try:
            return await self._cluster.client.get(INSTANCES, save.spec.instance, save.metadata.namespace)
        except NotFound:
            return None

    def _node_loss(self, save: SaveImage) -> tuple[str | None, float]:
        """What happened to its node if it is lost or deleted; else None, and the seconds until it counts as lost."""
        name = save.status.node_name
        if name is None:
            return None, math.inf
        node = self._cluster.stores.nodes.get(name)
        wait, silence = assess_loss(node, lost_seconds=self._lost_seconds, now=self.clock.now())
        return (None, wait) if wait else (describe_loss(name, silence), math.inf)

    def _on_save(self, _: EventType, old: SaveImage | None, new: SaveImage | None) -> None:
        if new is None and old is not None:
            self._pushed_since.pop(old.metadata.uid, None)

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        instance = new or old
        if instance is not None:
            namespace, name = instance.metadata.namespace, instance.metadata.name
            for save in self._cluster.stores.saves.by_index(BY_INSTANCE, f"{namespace}/{name}"):
                self.enqueue((namespace or "", save.metadata.name))

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if len(self._cluster.stores.saves) and (new is None or offline_since(new) is not None):
            self.wake()
