"""The life of the shim's process: listen, read the caches, serve, and stop in good order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator

from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint
from anka_crds.process.clock import Clock, SystemClock
from anka_crds.process.health import Health
from anka_crds.registry.client import RegistryClient
from anka_shim.app import application
from anka_shim.cloud.barrier import Barrier
from anka_shim.cloud.caches import Stores, Watches
from anka_shim.cloud.central_logs import CentralLogs
from anka_shim.cloud.distributions import DistributionCommands
from anka_shim.cloud.groups import GroupCommands
from anka_shim.cloud.instance_views import InstanceViews
from anka_shim.cloud.instances import InstanceCommands
from anka_shim.cloud.node_views import NodeViews
from anka_shim.cloud.nodes import NodeCommands
from anka_shim.cloud.objects import Objects
from anka_shim.cloud.once import Slots
from anka_shim.cloud.peer_line import PeerLine
from anka_shim.cloud.peers import Peers
from anka_shim.cloud.registry_watch import watch_of
from anka_shim.cloud.saves import SaveCommands
from anka_shim.cloud.slots import WriteSlots
from anka_shim.cloud.templates import TemplateCommands
from anka_shim.cloud.undo import Undo
from anka_shim.server import Server, server
from anka_shim.services import Services
from anka_shim.settings import ShimSettings

log = logging.getLogger(__name__)

UNDO_SECONDS = 10.0
"""How long the end of the process waits for the removal of instances of failed requests."""


@contextlib.asynccontextmanager
async def services(
    settings: ShimSettings, endpoint: Endpoint, health: Health, clock: Clock | None = None
) -> AsyncIterator[Services]:
    """Everything that runs in the background, as long as the block lasts. Returns at once: the caches fill later."""
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(KubeClient(endpoint, user_agent="anka-shim"))
        clock = clock or SystemClock()
        stores = Stores(clock)
        instance_views = InstanceViews(
            stores,
            clock,
            registry=settings.registry_url or "",
            terminated_seconds=settings.terminated_seconds,
        )
        node_views = NodeViews(stores)
        watches = await stack.enter_async_context(Watches(client, stores))
        undo = Undo(client, stores.instances)
        stack.push_async_callback(undo.close, UNDO_SECONDS)
        registry_client = None
        if settings.registry_url:
            registry_client = await stack.enter_async_context(RegistryClient(settings.registry_url))
        registry = watch_of(registry_client)
        task = asyncio.create_task(registry.run(), name="registry")
        stack.push_async_callback(_cancel, task)
        line = await stack.enter_async_context(PeerLine(settings.peer_seconds))
        peers = await stack.enter_async_context(Peers(settings.peer_addresses, line))
        slots = WriteSlots(
            settings.write_seconds, Barrier(peers, settings.peer_seconds), batch_seconds=settings.batch_seconds
        )
        repeats = Slots(client, stores, instance_views.gone_of, clock, namespace=settings.namespace)
        commands = InstanceCommands(
            client, stores.instances, undo, namespace=settings.namespace, slots=slots, repeats=repeats
        )
        nodes = Objects(client, stores.nodes, slots)
        groups = GroupCommands(stores, Objects(client, stores.groups, slots), nodes)
        health.ready["caches"] = watches.unsynced
        if settings.peer_addresses:
            health.ready["peers"] = peers.not_looked
        yield Services(
            settings=settings,
            clock=clock,
            stores=stores,
            instance_views=instance_views,
            node_views=node_views,
            commands=commands,
            groups=groups,
            distributions=DistributionCommands(Objects(client, stores.distributions, slots)),
            nodes=NodeCommands(nodes),
            templates=TemplateCommands(registry_client, stores.corrections),
            saves=SaveCommands(client, stores, slots),
            logs=CentralLogs(registry_client),
            registry=registry,
            peers=peers,
            health=health,
            unsynced=watches.unsynced,
        )


async def run(settings: ShimSettings, endpoint: Endpoint, sock: socket.socket) -> None:
    """Serve on `sock` until SIGTERM or SIGINT. A second signal ends the draining at once."""
    stopping, hurried = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (hurried if stopping.is_set() else stopping).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    health = Health(ready={"stopping": lambda: "shutting down" if stopping.is_set() else None})
    async with services(settings, endpoint, health) as serving:
        edge = application(serving)
        web = server(edge, keep_alive_seconds=settings.keep_alive_seconds, trusted_proxies=settings.trusted_proxies)
        host, port = sock.getsockname()[:2]
        log.info("listening", extra={"host": host, "port": port, "namespace": settings.namespace})
        task = asyncio.create_task(web.serve(sockets=[sock]), name="server")
        await asyncio.wait({task, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
        edge.draining = True
        log.info("stopping: not ready, finishing what is in flight", extra={"seconds": settings.drain_seconds})
        with contextlib.suppress(TimeoutError):
            # Whoever sends us requests learns from /readyz that we stop, before we stop listening.
            await asyncio.wait_for(hurried.wait(), settings.drain_seconds)
        await _stop(web, task, hurried)
    log.info("stopped")


async def _stop(web: Server, task: asyncio.Task[None], hurried: asyncio.Event) -> None:
    web.should_exit = True
    hurry = asyncio.create_task(hurried.wait())
    await asyncio.wait({task, hurry}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        web.force_exit = True
    await _cancel(hurry)
    await task


async def _cancel(task: asyncio.Task[object]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
