"""The agent as a process: the order in which its parts start, their health, and the shutdown."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import Any

from anka_agent import VERSION, lock
from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka
from anka_agent.anka.leftovers import Leftovers
from anka_agent.anka.registry_options import make_options
from anka_agent.anka.vm import Vm
from anka_agent.assembly import Parts, Process, assemble, make_claim
from anka_agent.identity.machine import MachineIdentity, read_identity
from anka_agent.identity.tokens import TokenRenewal
from anka_agent.mac.facts import AnkaUnusable, MacFacts, describe_license_problem, read_facts
from anka_agent.mac.hardware import read_hardware_uuid
from anka_agent.node.view import register
from anka_agent.settings import AgentSettings
from anka_agent.update.versions import BASE, LIFELINE
from anka_crds.resources import NODES
from anka_crds.rules.central_log import AGENT, to_service
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.heartbeat import LeaseTaken
from anka_kube.lease_claim import LeaseClaim
from anka_registry.access import make_access
from anka_registry.central_logs.forwarding import LogForwarding
from anka_registry.central_logs.secret_filter import SecretFilter
from anka_runtime import health
from anka_runtime.addresses import join_host_port
from anka_runtime.clock import SystemClock

log = logging.getLogger(__name__)

IDLE_POLL_FACTOR = 2.5
"""The Mac is listed less often by this factor while it has no VM of ours."""


class StartError(Exception):
    """The user must fix something first; str() is one line that says what."""


class Crashed(Exception):
    """A part of the agent that should never end has ended; str() is one line."""


class Agent:
    """`anka`: how its commands are run; by default as processes of the executable in the settings."""

    def __init__(self, settings: AgentSettings, endpoint: Endpoint, anka: Anka | None = None) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._clock = ApiClock(SystemClock())
        self._leftovers = Leftovers(settings.state_dir / "commands")
        self._anka = AnkaCli(anka or Anka(settings.anka, record=self._leftovers), make_options(settings))
        self._secrets = SecretFilter()
        self._logs = LogForwarding(
            settings.registry_url,
            AGENT,
            access=make_access(settings, self._clock),
            enabled=not settings.disable_central_logging,
            secrets=self._secrets,
            also=find_service,
        )
        self._report_due = asyncio.Event()
        self._claim: LeaseClaim | None = None
        self._parts: Parts | None = None
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._stop = asyncio.Event()
        self._stopping = False
        self.updated = False
        """Whether it ended because another version of the agent is to be started."""

    async def run(self, locks: ExitStack) -> None:
        """Run until SIGTERM or SIGINT. Raises StartError for what the user must fix first, and Crashed.

        `locks` keeps this Mac and the state directory from other agents: close it when the event loop is closed. Its
        threads end last, and may still be writing a journal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        if LIFELINE in os.environ:
            loop.add_reader(int(os.environ[LIFELINE]), self._stop_without_launcher)
        async with AsyncExitStack() as stack:
            identity = await self._lock(locks)
            stack.enter_context(self._logs.collect())
            await self._leftovers.end()
            try:
                facts = await read_facts(self._anka, clock=self._clock, report_due=self._report_due)
            except AnkaUnusable as error:
                raise StartError(str(error)) from None
            await stack.enter_async_context(self._serve_health())
            working = asyncio.create_task(self._work(facts, identity), name="work")
            waiting = asyncio.create_task(self._stop.wait(), name="stop")
            await asyncio.wait([working, waiting], return_when=asyncio.FIRST_COMPLETED)
            self._stopping = True
            log.info("stopping; VMs keep running")
            waiting.cancel()
            if not working.done():
                working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def _lock(self, locks: ExitStack) -> MachineIdentity:
        """Be the only agent of this state directory and of this Mac, and see which Mac it is."""
        settings = self._settings
        try:
            locks.enter_context(lock.hold(settings.state_dir))
            hardware_uuid = await asyncio.to_thread(read_hardware_uuid, settings.anka)
            if hardware_uuid is not None:
                locks.enter_context(lock.hold_machine(hardware_uuid))
            return read_identity(settings.state_dir, hardware_uuid)
        except lock.LockError as error:
            raise StartError(str(error)) from None
        except OSError as error:
            raise StartError(f"--state-dir {settings.state_dir} cannot be used: {error.strerror}") from None

    def _stop_without_launcher(self) -> None:
        asyncio.get_running_loop().remove_reader(int(os.environ[LIFELINE]))
        self._stop.set()

    def _leave_for_update(self) -> None:
        self.updated = True
        self._stop.set()

    async def _work(self, facts: MacFacts, identity: MachineIdentity) -> None:
        """Register, become the node's machine, start all parts, and watch them; ends when cancelled."""
        settings, clock = self._settings, self._clock
        async with AsyncExitStack() as stack:
            client = KubeClient(self._endpoint, clock, user_agent=f"anka-agent/{VERSION}")
            await stack.enter_async_context(client)
            stack.push_async_callback(self._cancel_all)
            # Before all else: a token that is about to expire would be refused in what follows.
            if settings.token_file is not None:
                seconds = settings.token_seconds
                renewal = TokenRenewal(client, settings.token_file, seconds=seconds, clock=clock)
                self._spawn("token renewal", renewal.run())
            node = await register(client, NODES, settings.node())
            log.info("joined", extra={"node": node.metadata.name})
            process = Process(settings, identity, client, clock, self._anka, facts, self._report_due, self._secrets)
            claim = self._claim = make_claim(process, node)
            claimed = await claim.acquire()
            parts = assemble(process, node, claimed, launched=BASE in os.environ, leave=self._leave_for_update)
            self._parts = parts
            await self._start(parts)
            await self._until_one_ends()

    async def _start(self, parts: Parts) -> None:
        cluster, mac, poll = parts.cluster, parts.mac, self._settings.poll
        view = cluster.node
        forwarding = self._logs.ship(view.name, view.ip_address or "", lambda: not view.spec.disable_central_logging)
        self._spawn("central logs", forwarding)
        # The first heartbeat comes before the first report: a node that reports is alive.
        self._spawn("heartbeat", parts.heartbeat.run())
        self._spawn("fleet size", cluster.fleet.run())
        self._spawn("instance watch", cluster.instance_watch.run())
        self._spawn("save watch", cluster.save_watch.run())
        self._spawn("node watch", cluster.node_watch.run())
        self._spawn("distribution watch", cluster.distribution_watch.run())
        for comparison in cluster.comparisons:
            self._spawn(comparison.task_name, comparison.run())
        self._spawn("inventory", mac.inventory.poll(poll, poll * IDLE_POLL_FACTOR))
        await mac.inventory.observed.wait()
        await mac.templates.refresh_until_known()
        mac.inventory.subscribe(watch_templates(mac.inventory.templates, self._report_due))
        await cluster.instance_watch.synced.wait()
        # An agent that did not know the saves yet would start VMs that are being pushed.
        await cluster.save_watch.ready.wait()
        self._spawn("instances", parts.instances.run())
        if parts.monitor is not None:
            self._spawn("VM monitor", parts.monitor.run())
        self._spawn("distributions", parts.distributions.run())
        self._spawn("update", parts.updater.run())
        self._spawn("node report", parts.reporter.run())

    async def _until_one_ends(self) -> None:
        """None of them ever should end: one that does leaves this process half dead, and launchd starts a new one."""
        await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        for name, task in self._tasks.items():
            if task.done():
                error = None if task.cancelled() else task.exception()
                if isinstance(error, LeaseTaken):
                    raise Crashed(str(error))
                log.critical("%s ended: %r", name, error, exc_info=error)
                raise Crashed(f"{name} ended by itself: see the log")

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks[name] = asyncio.create_task(work, name=name)

    async def _cancel_all(self) -> None:
        # The workers end first, while the API can still be reached.
        for name in reversed(list(self._tasks)):
            task = self._tasks[name]
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @asynccontextmanager
    async def _serve_health(self) -> AsyncIterator[None]:
        probes = health.HealthChecks(live={"tasks": self._find_dead_task}, ready={"agent": self._find_problem})
        try:
            runner, port = await health.serve(probes, self._settings.health_host, self._settings.health_port)
        except OSError as error:
            where = join_host_port(self._settings.health_host, self._settings.health_port)
            raise StartError(f"cannot listen on {where}: {error.strerror}; choose another --health-port") from None
        log.info("listening", extra={"port": port})
        try:
            yield
        finally:
            await runner.cleanup()

    def _find_dead_task(self) -> str | None:
        ended = [name for name, task in self._tasks.items() if task.done()]
        if ended and not self._stopping:
            return f"ended: {', '.join(ended)}"
        dead = self._parts.instances.dead_workers() if self._parts is not None else []
        return f"instances without a worker: {', '.join(dead)}" if dead else None

    def _find_problem(self) -> str | None:
        if self._stopping:
            return "stopping"
        parts = self._parts
        if parts is None and self._claim is not None and self._claim.problem is not None:
            return self._claim.problem
        if parts is None or not parts.cluster.instance_watch.synced.is_set():
            return "the API has not listed this node's instances yet"
        if parts.mac.inventory.problem is not None:
            return parts.mac.inventory.problem
        if parts.heartbeat.last_success_age > self._settings.lease_duration:
            return "no heartbeat reached the API in time"
        if parts.reporter.problem is not None:
            return parts.reporter.problem
        return describe_license_problem(parts.mac.facts.license)


def find_service(record: logging.LogRecord) -> str | None:
    """The central log of the instance that a line is about."""
    key, uid = getattr(record, "instance", None), getattr(record, "uid", None)
    if not isinstance(key, str) or not isinstance(uid, str):
        return None
    namespace, _, name = key.partition("/")
    return to_service(namespace, name, uid)


def watch_templates(list_templates: Callable[[], list[Vm]], report_due: asyncio.Event) -> Callable[[], None]:
    """To be called after each listing of the Mac: has the node reported when templates came or went."""

    def observe() -> dict[str, str | None]:
        return {vm.uuid: vm.version for vm in list_templates()}

    known = observe()

    def compare() -> None:
        nonlocal known
        found = observe()
        if found != known:
            known = found
            report_due.set()

    return compare
