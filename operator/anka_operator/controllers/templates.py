"""Mirrors the registry into AnkaTemplate objects, and shows which Macs hold what. Only changes are written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from anka_crds.api import AnkaTemplate
from anka_crds.kube.errors import AlreadyExists
from anka_crds.process.clock import Clock
from anka_crds.registry.client import RegistryClient
from anka_crds.registry.errors import RegistryError, RegistryRefused
from anka_crds.registry.models import RegistryTemplate
from anka_operator import metrics
from anka_operator.cluster import TEMPLATE, Cluster
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.controllers.serial import Serial
from anka_operator.reconcile.template import judged, may_go, new

log = logging.getLogger(__name__)

NO_REGISTRY = "the operator was started without --registry-url"
DETAILS_IN_FLIGHT = 4


class Templates(Controller):
    """While the registry is down, everything that is known stays as it is: Macs can start what they hold."""

    def __init__(
        self, cluster: Cluster, clock: Clock, registry: RegistryClient | None, *, interval_seconds: float = 30.0
    ) -> None:
        super().__init__("templates", clock, window=0.25, tick=interval_seconds)
        self._cluster = cluster
        self._registry = registry
        self._interval = interval_seconds
        self._asked_at: float | None = None
        self._listed: dict[str, RegistryTemplate] = {}
        self._silent: str | None = NO_REGISTRY if registry is None else "it was not asked yet"
        self._serial = Serial(cluster.stores.templates)
        cluster.stores.templates.subscribe(lambda *_: self.wake())
        cluster.stores.nodes.subscribe(self._node)

    async def run_once(self) -> float | None:
        now = self.clock.monotonic()
        if self._registry is not None and (self._asked_at is None or now - self._asked_at >= self._interval):
            await self._ask(self._registry)
            self._asked_at = now
            if self._silent is None:
                await self._mirror()
        await all_of(self.judge(template) for template in self._cluster.stores.templates.list())
        return None if self._asked_at is None else self._asked_at + self._interval - self.clock.monotonic()

    async def judge(self, template: AnkaTemplate) -> None:
        """Make the status of one template true. Raises ApiError."""
        async with self._serial.turn(template) as template:
            name = template.metadata.name
            patch = judged(
                template,
                self._listed.get(name),
                self._cluster.stores.nodes.by_index(TEMPLATE, name),
                listed_now=name in self._listed,
                trouble=self._silent,
                now=self.clock.now(),
                keepers=self._cluster.stores.nodes if template.spec.distribution else (),
            )
            if patch is not None:
                await self._cluster.write.templates.patch_status(template, patch, guarded=False)

    async def _ask(self, registry: RegistryClient) -> None:
        """Read the registry. A failure leaves what was known, and is told once."""
        try:
            rows = await registry.templates()
            self._listed = {
                template.id: template for template in await self._details(registry, [row.id for row in rows])
            }
        except RegistryError as error:
            if self._silent != str(error):
                log.warning("%s; templates stay as they are", error)
            self._silent = str(error)
            metrics.REGISTRY_UP.set(0)
            metrics.REGISTRY_FAILURES.inc()
            return
        if self._silent is not None:
            log.info("the registry answers", extra={"registry": registry.url, "templates": len(self._listed)})
        self._silent = None
        metrics.REGISTRY_UP.set(1)

    async def _details(self, registry: RegistryClient, ids: Sequence[str]) -> list[RegistryTemplate]:
        gate = asyncio.Semaphore(DETAILS_IN_FLIGHT)

        async def one(uuid: str) -> RegistryTemplate | None:
            async with gate:
                try:
                    return await registry.template(uuid)
                except RegistryRefused:
                    return None  # deleted since the list was made

        return [template for template in await asyncio.gather(*(one(uuid) for uuid in ids)) if template is not None]

    async def _mirror(self) -> None:
        """Objects for what is in the registry, none for what has left it."""
        stores = self._cluster.stores
        await all_of(self._create(item) for id_, item in self._listed.items() if stores.templates.get(id_) is None)
        gone = [item for item in stores.templates if item.metadata.name not in self._listed and may_go(item)]
        await all_of(self._delete(item) for item in gone)

    async def _create(self, template: RegistryTemplate) -> None:
        try:
            await self._cluster.write.templates.create(new(template))
        except AlreadyExists:
            return  # somebody made it; its event wakes us

    async def _delete(self, template: AnkaTemplate) -> None:
        await self._cluster.write.templates.delete(template)
        log.info("template left the registry", extra={"template": template.metadata.name})

    def _node(self, type_: object, old: object, new: object) -> None:
        held_before = getattr(getattr(old, "status", None), "templates", None)
        held_now = getattr(getattr(new, "status", None), "templates", None)
        if held_before != held_now:
            self.wake()
