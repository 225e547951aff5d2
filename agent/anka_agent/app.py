"""The agent as a process: what runs, in which order it comes up, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from anka_agent import VERSION, host, lock
from anka_agent.anka import check
from anka_agent.anka.command import Anka
from anka_agent.anka.errors import AnkaError
from anka_agent.anka.leftovers import Leftovers
from anka_agent.anka.operations import Operations
from anka_agent.central_logs.central_logs import CentralLogs
from anka_agent.disk.events import NodeEvents
from anka_agent.disk.last_use import LastUse
from anka_agent.disk.room import Room
from anka_agent.distributions.controller import Distributions
from anka_agent.identity.renewal import TokenRenewal
from anka_agent.instances.context import Context, NodeFacts
from anka_agent.instances.controller import Controller
from anka_agent.instances.inventory import Inventory
from anka_agent.instances.journal import Journal
from anka_agent.instances.orphans import Orphans
from anka_agent.instances.pulls import Templates
from anka_agent.node.registration import join, owner_reference
from anka_agent.node.reporter import MacFacts, NodeReporter
from anka_agent.plan.eviction import Need, needs
from anka_agent.settings import AgentSettings
from anka_agent.update.updater import Updater
from anka_agent.update.versions import BASE, LIFELINE, Versions
from anka_crds.api import AnkaInstance, AnkaNode, TemplateDistribution
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint
from anka_crds.kube.heartbeat import LeaseHeartbeat
from anka_crds.kube.kinds import DISTRIBUTIONS, INSTANCES, NODES
from anka_crds.kube.reflector import Reflector
from anka_crds.kube.store import Store
from anka_crds.kube.writer import Writer
from anka_crds.process import health
from anka_crds.process.clock import SystemClock

log = logging.getLogger(__name__)

IDLE_POLL_FACTOR = 2.5


class StartError(Exception):
    """A person must do something first; str() is one line that says what."""


class Crashed(Exception):
    """A part of the agent ended that never should; str() is one line."""


@dataclass
class Parts:
    """What has come up so far, for the health checks."""

    beat: LeaseHeartbeat | None = None
    instances: Reflector[AnkaInstance] | None = None
    inventory: Inventory | None = None
    reporter: NodeReporter | None = None
    controller: Controller | None = None
    stopping: bool = False


class Agent:
    """`anka`: how its commands are run; by default as processes of the executable in the settings."""

    def __init__(self, settings: AgentSettings, endpoint: Endpoint, anka: Anka | None = None) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._clock = SystemClock()
        self._leftovers = Leftovers(settings.state_dir / "commands")
        self._anka = Operations(anka or Anka(settings.anka, record=self._leftovers))
        self._central_logs = CentralLogs(settings.registry_url, wanted=not settings.disable_central_logging)
        self._parts = Parts()
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._stop = asyncio.Event()
        self.updated = False
        """Whether it ended because another version of the agent is to be started."""

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises StartError for what a person must fix first."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        if LIFELINE in os.environ:
            loop.add_reader(int(os.environ[LIFELINE]), self._launcher_ended)
        async with AsyncExitStack() as stack:
            try:
                stack.enter_context(lock.hold(self._settings.state_dir))
            except lock.LockError as error:
                raise StartError(str(error)) from None
            stack.enter_context(self._central_logs.collecting())
            await self._leftovers.end()
            facts = await self._mac_facts()
            await stack.enter_async_context(self._health())
            working = asyncio.create_task(self._work(facts), name="work")
            waiting = asyncio.create_task(self._stop.wait(), name="stop")
            await asyncio.wait([working, waiting], return_when=asyncio.FIRST_COMPLETED)
            self._parts.stopping = True
            log.info("stopping; VMs keep running")
            waiting.cancel()
            if not working.done():
                working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    def _launcher_ended(self) -> None:
        asyncio.get_running_loop().remove_reader(int(os.environ[LIFELINE]))
        self._stop.set()

    def _leave_for_update(self) -> None:
        self.updated = True
        self._stop.set()

    async def _mac_facts(self) -> MacFacts:
        try:
            version = await check.version(self._anka)
            held = await check.license_(self._anka)
        except check.Unusable as error:
            raise StartError(str(error)) from None
        if trouble := check.license_trouble(held):
            log.error("%s", trouble)
        try:
            usb = await self._anka.usb()
        except AnkaError as error:
            log.warning("USB devices cannot be listed: %s", error)
            usb = []
        return MacFacts(version, held, usb)

    async def _work(self, facts: MacFacts) -> None:
        """Join, beat, watch, work; ends when cancelled."""
        settings, parts = self._settings, self._parts
        agent = f"anka-agent/{VERSION}"
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(KubeClient(self._endpoint, self._clock, user_agent=agent))
            stack.push_async_callback(self._cancel_all)
            name = settings.resolved_name
            # Before all else: what comes next may be refused with a token that is about to expire.
            if settings.token_file is not None:
                seconds = settings.token_seconds
                renewal = TokenRenewal(client, settings.token_file, seconds=seconds, clock=self._clock)
                self._spawn("token renewal", renewal.run())
            node = await join(client, NODES, settings.node())
            log.info("joined", extra={"node": name})

            nodes: Store[AnkaNode] = Store(NODES)
            nodes.apply_written(node)
            node_reflector = Reflector(client, nodes, field_selector=f"metadata.name={name}", clock=self._clock)
            selector = f"status.nodeName={name}"
            instances: Store[AnkaInstance] = Store(INSTANCES)
            reflector = parts.instances = Reflector(client, instances, field_selector=selector, clock=self._clock)
            beat = parts.beat = LeaseHeartbeat(
                client,
                settings.lease_namespace,
                name,
                name,
                duration_seconds=settings.lease_duration,
                renew_seconds=settings.heartbeat,
                owner_reference=owner_reference(node),
                clock=self._clock,
            )
            journal = Journal(settings.state_dir / "instances")
            inventory = parts.inventory = Inventory(self._anka, node.spec.vm_prefix)
            inventory.claims.update(journal.claims())
            templates = Templates(self._anka)
            ip_address = settings.host or host.address_towards(self._endpoint.server)
            self._central_logs.wanted = lambda: not (nodes.get(name) or node).spec.disable_central_logging
            self._spawn("central logs", self._central_logs.ship(name, ip_address or ""))
            reporter = parts.reporter = NodeReporter(
                Writer(client, NODES, nodes),
                lambda: nodes.get(name),
                self._anka,
                inventory,
                templates,
                facts,
                ip_address=ip_address,
                disk=settings.state_dir,
                clock=self._clock,
                distributions=lambda: distributions.reports(),
                update=lambda: updater.report(),
            )
            updater = Updater(
                nodes,
                name,
                Versions(settings.state_dir / "versions"),
                package_url=settings.package_url,
                launched=BASE in os.environ,
                wake_report=reporter.wake,
                reported=lambda: reporter.trouble is None,
                leave=self._leave_for_update,
            )

            def node_facts() -> NodeFacts:
                spec = (nodes.get(name) or node).spec
                return NodeFacts(name, spec.display_name or name, spec.host or ip_address)

            context = Context(
                client,
                instances,
                Writer(client, INSTANCES, instances),
                self._anka,
                inventory,
                templates,
                journal,
                node_facts,
                workers=settings.num_workers,
                network_timeout=settings.network_timeout,
                secret_timeout=settings.secret_timeout,
                clock=self._clock,
                last_use=LastUse(settings.state_dir / "templates.json"),
                templates_changed=reporter.wake,
                anka_major=lambda: reporter.facts.version.major,
                usb=lambda: reporter.facts.usb,
                usb_changed=reporter.usb_changed,
                hide=self._central_logs.hidden.learn,
            )
            requests: Store[TemplateDistribution] = Store(DISTRIBUTIONS)
            request_reflector = Reflector(client, requests, clock=self._clock)
            distributions = Distributions(context, requests, nodes, lambda: nodes.get(name), reporter.wake)

            def wanted() -> list[Need]:
                kept = (nodes.get(name) or node).status.kept_templates
                return needs(instances, context.saves, kept, distributions.under_way())

            def reserve() -> int:
                percent = (nodes.get(name) or node).spec.reserve_space_percent
                return host.disk_bytes(settings.state_dir) * percent // 100

            events = NodeEvents(client, lambda: nodes.get(name), self._clock)
            templates.make_room = Room(context, wanted, reserve, events.tell).make
            saves = Reflector(client, context.saves, field_selector=selector, clock=self._clock)
            orphans = Orphans(context, selector, lambda: reflector.synced.is_set() and reflector.connected)
            controller = parts.controller = Controller(context, orphans)

            # The first beat comes before the first report: a node that reports is alive.
            self._spawn("heartbeat", beat.run())
            self._spawn("instance watch", reflector.run())
            self._spawn("save watch", saves.run())
            self._spawn("node watch", node_reflector.run())
            self._spawn("distribution watch", request_reflector.run())
            poll = settings.poll
            self._spawn("inventory", inventory.poll(poll, poll * IDLE_POLL_FACTOR))
            await inventory.looked.wait()
            await self._first_templates(inventory, templates)
            inventory.subscribe(_on_templates(inventory, reporter))
            await reflector.synced.wait()
            # An agent that did not know the saves yet would start VMs that are being pushed.
            await saves.synced.wait()
            self._spawn("instances", controller.run())
            self._spawn("distributions", distributions.run())
            self._spawn("update", updater.run())
            self._spawn("node report", reporter.run())
            await self._until_one_ends()

    async def _until_one_ends(self) -> None:
        """None of them ever should: one that does leaves this process half dead, and launchd starts a whole one."""
        await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        for name, task in self._tasks.items():
            if task.done():
                error = None if task.cancelled() else task.exception()
                log.critical("%s ended: %r", name, error, exc_info=error)
                raise Crashed(f"{name} ended by itself: see the log")

    async def _first_templates(self, inventory: Inventory, templates: Templates) -> None:
        """Without knowing what is held, everything would be pulled once more."""
        while True:
            try:
                await templates.refresh(inventory.templates())
            except AnkaError as error:
                log.warning("the templates of this Mac cannot be listed: %s; trying again", error)
                await asyncio.sleep(2.0)
            else:
                return

    def _spawn(self, name: str, work: Any) -> None:
        self._tasks[name] = asyncio.create_task(work, name=name)

    async def _cancel_all(self) -> None:
        # The workers end first, while the API can still be reached.
        for name in reversed(list(self._tasks)):
            task = self._tasks[name]
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # Health

    @asynccontextmanager
    async def _health(self) -> AsyncIterator[None]:
        probes = health.Health(live={"tasks": self._tasks_trouble}, ready={"agent": self._trouble})
        try:
            runner, port = await health.serve(probes, self._settings.health_host, self._settings.health_port)
        except OSError as error:
            where = f"{self._settings.health_host}:{self._settings.health_port}"
            raise StartError(f"cannot listen on {where}: {error.strerror}; choose another --health-port") from None
        log.info("listening", extra={"port": port})
        try:
            yield
        finally:
            await runner.cleanup()

    def _tasks_trouble(self) -> str | None:
        ended = [name for name, task in self._tasks.items() if task.done()]
        if ended and not self._parts.stopping:
            return f"ended: {', '.join(ended)}"
        dead = self._parts.controller.dead_workers() if self._parts.controller is not None else []
        return f"instances without a worker: {', '.join(dead)}" if dead else None

    def _trouble(self) -> str | None:
        parts = self._parts
        if parts.stopping:
            return "stopping"
        if parts.instances is None or not parts.instances.synced.is_set():
            return "the API has not listed this node's instances yet"
        if parts.inventory is not None and parts.inventory.trouble is not None:
            return parts.inventory.trouble
        if parts.beat is None or parts.beat.last_success_age > self._settings.lease_duration:
            return "no heartbeat reached the API in time"
        if parts.reporter is None or parts.reporter.trouble is not None:
            return parts.reporter.trouble if parts.reporter is not None else "not reported yet"
        return check.license_trouble(parts.reporter.facts.license)


def _on_templates(inventory: Inventory, reporter: NodeReporter) -> Any:
    """Wakes the reporter when templates came or went."""
    known = {vm.uuid: vm.version for vm in inventory.templates()}

    def look() -> None:
        nonlocal known
        seen = {vm.uuid: vm.version for vm in inventory.templates()}
        if seen != known:
            known = seen
            reporter.wake()

    return look
