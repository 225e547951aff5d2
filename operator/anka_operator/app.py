"""The process: health endpoint, leader election, the leader's work, and a clean end."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import AsyncExitStack, suppress

from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint
from anka_crds.kube.errors import NotLeading
from anka_crds.kube.leader import LeaderElector
from anka_crds.process import health
from anka_crds.process.clock import Clock, SystemClock
from anka_operator import metrics
from anka_operator.lag import LoopLag
from anka_operator.settings import OperatorSettings
from anka_operator.work import Work

log = logging.getLogger(__name__)

LOST_LEADERSHIP = 1
STOP_SECONDS = 20.0
RESTART_SECONDS = 2.0
SILENT_SECONDS = 300.0
"""Watches bring a bookmark about every minute, and reflectors reconnect after 90 s: this silence is a bug of ours."""


class Operator:
    """One operator process. `run` returns its exit code."""

    def __init__(self, settings: OperatorSettings, endpoint: Endpoint, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock: Clock = clock or SystemClock()
        # What stands before the slash becomes the field manager: one for all replicas, whatever their pods are called.
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
        self._lag = LoopLag(self._clock)
        self._stop = asyncio.Event()
        self._work = self._next_work()

    async def run(self) -> int:
        """Until SIGTERM or SIGINT (0), or until leadership is lost (1). Raises OSError for a health port in use."""
        self._take_signals()
        checks = health.Health(
            live={"loop": self._lag.check, "watches": self._watches_alive},
            ready={"stopping": self._going_on, "api": self._api_reachable, "caches": self._caches_synced},
        )
        runner, port = await health.serve(checks, self._settings.health_host, self._settings.health_port)
        log.info("listening", extra={"port": port})
        async with AsyncExitStack() as stack:
            stack.push_async_callback(runner.cleanup)
            await stack.enter_async_context(self._client)
            stack.callback(asyncio.create_task(self._lag.run()).cancel)
            return await self._lead()

    def _next_work(self) -> Work:
        return Work(self._client, self._settings, self._clock, self._fence)

    def _fence(self) -> None:
        """Standing by, or frozen for so long that somebody else may lead: no write then."""
        if not self._elector.leading:
            raise NotLeading

    async def _lead(self) -> int:
        await self._work.watch()
        stopped = asyncio.create_task(self._stop.wait())
        acquired = asyncio.create_task(self._elector.acquire())
        await asyncio.wait({stopped, acquired}, return_when=asyncio.FIRST_COMPLETED)
        if not acquired.done():
            acquired.cancel()
            await asyncio.wait({acquired})
            await self._work.close()
            return 0
        acquired.result()
        lost = asyncio.create_task(self._elector.lost.wait())
        metrics.LEADER.set(1)
        try:
            while not self._stop.is_set() and not self._elector.lost.is_set():
                await self._work_once(stopped, lost)
        finally:
            metrics.LEADER.set(0)
            await self._work.close()
            lost.cancel()
            stopped.cancel()
        if self._elector.lost.is_set():
            log.error("leadership is lost: ending, to be started again")
            return LOST_LEADERSHIP
        await self._elector.release()
        return 0

    async def _work_once(self, stopped: asyncio.Task[bool], lost: asyncio.Task[bool]) -> None:
        """Work until stopped or no longer leading. kopf may end before that: a watch met an error it can't take."""
        work = self._work
        running = asyncio.create_task(work.run(self._take_signals))
        await asyncio.wait({running, stopped, lost}, return_when=asyncio.FIRST_COMPLETED)
        work.stop.set()
        await asyncio.wait({running}, timeout=STOP_SECONDS)
        if not running.done():
            log.warning("the work did not end within %g s: cancelled", STOP_SECONDS)
            running.cancel()
            await asyncio.wait({running}, timeout=STOP_SECONDS)
        if self._stop.is_set() or self._elector.lost.is_set():
            return
        error = None if running.cancelled() else running.exception()
        log.error("kopf ended: %s; starting it again", " ".join(str(error or "no reason given").split()))
        self._work = self._next_work()
        await self._work.watch()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), RESTART_SECONDS)

    def _take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)

    # --- health ---

    def _going_on(self) -> str | None:
        return "the process is stopping" if self._stop.is_set() else None

    def _api_reachable(self) -> str | None:
        cut_off = self._work.cluster.cut_off
        return f"no connection to the Kubernetes API for {', '.join(cut_off)}" if cut_off else None

    def _caches_synced(self) -> str | None:
        """Standing by is being ready, once everything was read: the leader does the work."""
        unsynced = self._work.cluster.unsynced
        if unsynced:
            return f"not read yet: {', '.join(unsynced)}"
        return "starting" if self._elector.leading and not self._work.ready.is_set() else None

    def _watches_alive(self) -> str | None:
        """Only while leading, which proves that the API answers: its absence is no reason to restart us."""
        work = self._work
        if not work.ready.is_set() or not self._elector.leading:
            return None
        silence = work.cluster.silence
        return f"a watch has been silent for {silence:.0f} s" if silence > SILENT_SECONDS else None
