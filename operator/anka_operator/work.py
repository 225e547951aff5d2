"""The leader's work: kopf, and what its startup and cleanup handlers own (caches, controllers)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, cast

import kopf

from anka_crds.kube.client import KubeClient
from anka_crds.kube.writer import Fence
from anka_crds.process.clock import Clock
from anka_crds.registry.client import RegistryClient
from anka_operator import kopf_setup
from anka_operator.cluster import Cluster
from anka_operator.controllers.cleanup import Cleanup
from anka_operator.controllers.distributions import Distributions
from anka_operator.controllers.explaining import Explaining
from anka_operator.controllers.grants import Grants
from anka_operator.controllers.groups import Groups
from anka_operator.controllers.keeping import Keeping
from anka_operator.controllers.lifetimes import Lifetimes
from anka_operator.controllers.node_life import NodeLife
from anka_operator.controllers.recorder import Recorder
from anka_operator.controllers.rollout import Rollout
from anka_operator.controllers.saves import Saves
from anka_operator.controllers.scheduling import Scheduling
from anka_operator.controllers.templates import Templates
from anka_operator.handlers import distribution, group, instance, node, save_image, template
from anka_operator.handlers.context import Context
from anka_operator.observing.outcomes import Outcomes
from anka_operator.observing.overview import OVERVIEW
from anka_operator.settings import OperatorSettings

log = logging.getLogger(__name__)


class Work:
    """One run of kopf. `stop` ends it; `ready` tells that everything is at work.

    `watch` comes first, and may come long before `run`: who stands by reads, so that it can decide at once when it
    leads. `fence` holds back every write while it does not.
    """

    def __init__(self, client: KubeClient, settings: OperatorSettings, clock: Clock, fence: Fence) -> None:
        self.stop = asyncio.Event()
        self.ready = asyncio.Event()
        self.cluster = Cluster(client, clock, node_namespace=settings.node_namespace, fence=fence)
        self._client = client
        self._settings = settings
        self._clock = clock
        self._owned = AsyncExitStack()

    async def watch(self) -> None:
        """Begin to fill the caches, and to keep them current until `close` or the end of `run`."""
        await self._owned.enter_async_context(self.cluster)

    async def close(self) -> None:
        await self._owned.aclose()

    async def run(self, take_signals: Callable[[], None]) -> None:
        """Until `stop` is set, or until kopf ends for a reason of its own: it raises, or returns.

        kopf takes the process's signals when it starts; `take_signals` takes them back.
        """
        registry = kopf.OperatorRegistry()
        kopf_setup.login(registry, self._client.endpoint)

        @kopf.on.startup(registry=registry)
        async def startup(**_: Any) -> None:
            await self._start(registry)

        @kopf.on.cleanup(registry=registry)
        async def cleanup(**_: Any) -> None:
            await self.close()

        # At its end kopf cancels every task that began after it, but for these.
        not_of_kopf = asyncio.all_tasks()
        try:
            tasks = await kopf.spawn_tasks(
                registry=registry,
                settings=kopf_setup.settings(),
                # Else kopf asks for the name of its user, who has none in a container, and ends. The type is private.
                identity=cast(Any, self._settings.identity),
                clusterwide=True,
                standalone=True,
                stop_flag=self.stop,
            )
            take_signals()
            await kopf.run_tasks(tasks, ignored=not_of_kopf)
        finally:
            self.ready.clear()
            await self.close()

    async def _start(self, registry: kopf.OperatorRegistry) -> None:
        settings, clock = self._settings, self._clock
        cluster = self.cluster
        await cluster.synced()
        await cluster.catch_up()
        registry_client = None
        if settings.registry_url:
            registry_client = await self._owned.enter_async_context(RegistryClient(settings.registry_url))
        grants = Grants(cluster, clock, node_namespace=settings.node_namespace)
        scheduling = Scheduling(
            cluster,
            clock,
            registry_url=settings.registry_url,
            around_bind=grants.ahead,
            placement=settings.placement,
        )
        recorder = Recorder(cluster, clock, identity=settings.identity)
        context = Context(
            recorder=recorder,
            node_life=NodeLife(
                cluster,
                clock,
                recorder,
                node_namespace=settings.node_namespace,
                duration_seconds=settings.heartbeat_seconds,
            ),
            groups=Groups(cluster, clock),
            templates=Templates(cluster, clock, registry_client, interval_seconds=settings.registry_seconds),
            distributions=Distributions(
                cluster, clock, lost_seconds=settings.node_lost_seconds, registry_url=settings.registry_url
            ),
            saves=Saves(cluster, clock, lost_seconds=settings.node_lost_seconds, registry_url=settings.registry_url),
        )
        for controller in (
            context.node_life,
            context.groups,
            context.templates,
            context.distributions,
            Keeping(cluster, clock, registry_url=settings.registry_url),
            context.saves,
            Rollout(cluster, clock, limit=settings.agent_updates, failures=settings.agent_update_failures),
            Cleanup(cluster, clock, recorder, lost_seconds=settings.node_lost_seconds),
            Lifetimes(cluster, clock, recorder),
            grants,
            scheduling,
            Explaining(cluster, scheduling, clock, recorder),
        ):
            await self._owned.enter_async_context(controller)
        self._owned.callback(Outcomes(cluster.stores).close)
        self._owned.callback(OVERVIEW.show(cluster.stores, scheduling.board, clock))
        # Handlers may be registered until kopf looks for kinds to watch, which is after startup.
        for kind in (instance, node, group, template, distribution, save_image):
            kind.register(registry, context)
        self.ready.set()
        log.info("at work", extra={"instances": len(cluster.stores.instances), "nodes": len(cluster.stores.nodes)})
