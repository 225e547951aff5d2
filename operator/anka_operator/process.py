"""The operator's process: health endpoint, stores, leader election, the leader's controllers, and a clean end."""

import asyncio
import gc
import logging
import signal
import socket
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext

from anka_crds.rules.central_log import OPERATOR
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import ApiError, NotLeading
from anka_kube.leader import LeaderElector
from anka_operator import metrics
from anka_operator.assembly import run_controllers, watch_cluster
from anka_operator.cluster.access import AnkaCluster
from anka_operator.event_log.event_log import EventLog
from anka_operator.instances.handler import FailureHandler
from anka_operator.monitoring.event_loop_lag import EventLoopLag
from anka_operator.settings import OperatorSettings
from anka_registry.access import make_access
from anka_registry.central_logs.forwarding import LogForwarding
from anka_runtime import health

log = logging.getLogger(__name__)

STUCK = 1
"""Exit code of a process whose controllers do not end."""
STOP_SECONDS = 20.0
RESTART_SECONDS = 2.0
SILENT_SECONDS = 300.0
"""Watches receive a bookmark about every minute, and are opened again more often than this: such a silence is a bug."""


class Operator:
    """One operator process. `run` returns its exit code."""

    def __init__(self, settings: OperatorSettings, endpoint: Endpoint) -> None:
        self._settings = settings
        self._clock = ApiClock()
        # The part before the slash becomes the field manager: one for all replicas, whatever their pods are called.
        self._client = KubeClient(endpoint, self._clock, user_agent=f"anka-operator/{settings.identity}")
        self._elector = LeaderElector(
            self._client,
            settings.namespace,
            settings.lease_name,
            settings.identity,
            lease_duration=settings.leader_lease_seconds,
            renew_deadline=settings.leader_renew_seconds,
            retry=settings.leader_retry_seconds,
            clock=self._clock,
        )
        self._cluster = AnkaCluster(self._client, fence=self._check_leading)
        self._failures = FailureHandler()
        # Before the caches are filled: a standby collects, too, what it may have to send.
        self._event_log = EventLog(self._cluster.stores, settings, self._clock) if settings.enable_event_log else None
        self._lag = EventLoopLag(self._clock)
        self._stop = asyncio.Event()
        self._working = False

    async def run(self) -> int:
        """Until SIGTERM or SIGINT (0). Raises OSError for a health port in use."""
        logs = LogForwarding(self._settings.log_url, OPERATOR, access=make_access(self._settings, self._clock))
        async with logs.run(socket.gethostname()):
            return await self._run()

    async def _run(self) -> int:
        self._take_signals()
        checks = health.HealthChecks(
            live={"loop": self._lag.check, "watches": self._check_watches},
            ready={"stopping": self._check_stopping, "api": self._check_api, "caches": self._check_caches},
        )
        runner, port = await health.serve(checks, self._settings.health_host, self._settings.health_port)
        log.info("listening", extra={"port": port})
        async with AsyncExitStack() as stack:
            stack.push_async_callback(runner.cleanup)
            await stack.enter_async_context(self._client)
            stack.callback(asyncio.create_task(self._lag.run()).cancel)
            # A standby process watches, too, so that it can decide at once when it leads.
            await stack.enter_async_context(
                watch_cluster(self._cluster, self._failures, self._settings, self._clock, self._take_signals)
            )
            stack.callback(asyncio.create_task(self._spare_caches()).cancel)
            return await self._lead()

    async def _spare_caches(self) -> None:
        """Keep what was read at the start out of garbage collection: to look through 12,000 instances stops everything
        for half a second, and whoever begins to lead makes so many objects that it happens then."""
        await self._cluster.wait_synced()
        gc.freeze()

    def _check_leading(self) -> None:
        """The fence of all writes: refuse them on standby, or after a freeze so long that another process may lead."""
        if not self._elector.is_leading:
            raise NotLeading

    async def _lead(self) -> int:
        """Until the process is to stop. One that loses the Lease stands by and leads again: nobody has to start it."""
        stopped = asyncio.create_task(self._stop.wait())
        try:
            while not self._stop.is_set():
                acquired = asyncio.create_task(self._elector.acquire())
                await asyncio.wait({stopped, acquired}, return_when=asyncio.FIRST_COMPLETED)
                if not acquired.done():
                    acquired.cancel()
                    await asyncio.wait({acquired})
                    return 0
                acquired.result()
                has_ended = await self._lead_once(stopped)
                await self._elector.release()
                if not has_ended:
                    log.error("the controllers do not end: this process does, to be started again")
                    return STUCK
            return 0
        finally:
            stopped.cancel()

    async def _lead_once(self, stopped: asyncio.Task[bool]) -> bool:
        """Work until the Lease is lost or the process is to stop. False if the controllers did not end then."""
        lost = asyncio.create_task(self._elector.lost.wait())
        metrics.LEADER.set(1)
        try:
            return await self._work_until({stopped, lost})
        finally:
            metrics.LEADER.set(0)
            lost.cancel()
            if self._elector.lost.is_set():
                log.error("leadership is lost: standing by")

    async def _work_until(self, ends: set[asyncio.Task[bool]]) -> bool:
        """Run the controllers until one of `ends` is done. Whether they have ended then."""
        running = asyncio.create_task(self._work())
        await asyncio.wait({running, *ends}, return_when=asyncio.FIRST_COMPLETED)
        running.cancel()
        await asyncio.wait({running}, timeout=STOP_SECONDS)
        if not running.done():
            log.warning("the controllers did not end within %g s", STOP_SECONDS)
            return False
        if not running.cancelled():
            running.result()
        return True

    async def _work(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with (
                    run_controllers(self._cluster, self._failures, self._settings, self._clock),
                    self._deliver_event_log(),
                ):
                    self._working = True
                    await asyncio.Event().wait()
            except ApiError as error:
                log.warning("%s; starting again", error)
                await asyncio.sleep(RESTART_SECONDS)
            finally:
                self._working = False

    def _deliver_event_log(self) -> AbstractAsyncContextManager[None]:
        return nullcontext() if self._event_log is None else self._event_log.deliver(self._elector)

    def _take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)

    # --- health ---

    def _check_stopping(self) -> str | None:
        return "the process is stopping" if self._stop.is_set() else None

    def _check_api(self) -> str | None:
        kinds = self._cluster.kinds_not_connected
        return f"no connection to the Kubernetes API for {', '.join(kinds)}" if kinds else None

    def _check_caches(self) -> str | None:
        """A standby process is ready once it has read everything: the leader does the work."""
        kinds = self._cluster.kinds_not_synced
        if kinds:
            return f"not read yet: {', '.join(kinds)}"
        return "starting" if self._elector.is_leading and not self._working else None

    def _check_watches(self) -> str | None:
        """Only while leading, which proves that the API answers: its absence is no reason for a restart."""
        if not self._working or not self._elector.is_leading:
            return None
        silence = self._cluster.longest_silence
        return f"a watch has been silent for {silence:.0f} s" if silence > SILENT_SECONDS else None
