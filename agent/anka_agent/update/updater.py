"""Updates this agent to spec.agentVersion: downloads and verifies it, and ends, so that the launcher starts it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from prometheus_client import Counter

from anka_agent import VERSION
from anka_agent.plan.update import NO_PLACE, Action, decide
from anka_agent.update.package import PackageError, fetch
from anka_agent.update.versions import Versions
from anka_crds.api import AnkaNode
from anka_crds.api.node import AgentUpdate
from anka_crds.kube.store import Store

log = logging.getLogger(__name__)

UPDATES = Counter("anka_agent_updates_total", "Updates of the agent to another version, by outcome", ["outcome"])
TOLD_SECONDS = 15.0
"""How long the API may take to know that this Mac is Updating."""


class Updater:
    """`wake_report`: has the node's status written. `reported`: whether the last report went through. `leave`: ends
    this process with UPDATE_EXIT."""

    def __init__(
        self,
        nodes: Store[AnkaNode],
        name: str,
        versions: Versions,
        *,
        package_url: str,
        launched: bool,
        wake_report: Callable[[], None],
        reported: Callable[[], bool],
        leave: Callable[[], None],
    ) -> None:
        self._nodes = nodes
        self._name = name
        self._versions = versions
        self._package_url = package_url
        self._launched = launched
        self._wake_report = wake_report
        self._reported = reported
        self._leave = leave
        self._updating = False
        self._up = False
        self._changed = asyncio.Event()
        node = nodes.get(name)
        self._told = node.status.agent_update if node is not None else None
        self._take_up_failure()
        nodes.subscribe(lambda *_: self._changed.set())

    def report(self) -> tuple[bool, AgentUpdate | None]:
        """status.updating and status.agentUpdate."""
        return self._updating, self._told

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._changed.clear()
            node = self._nodes.get(self._name)
            if node is not None:
                self._tell_launcher(node)
                await self._follow(node)
            await self._changed.wait()

    def _tell_launcher(self, node: AnkaNode) -> None:
        """We are up once the API has our report: what can do that can be updated again, whatever else is wrong."""
        if self._launched and not self._up and node.status.agent_version == VERSION and self._reported():
            self._up = True
            self._versions.came_up(VERSION)

    def _take_up_failure(self) -> None:
        """What the launcher says of the version that was tried before us."""
        told = self._told
        if told is None or told.failed or told.version == VERSION:
            return
        why = self._versions.failure(told.version)
        if why is not None:
            self._fail(told.version, told.checksum, why)

    async def _follow(self, node: AnkaNode) -> None:
        version = node.spec.agent_version
        decision = decide(
            node.spec,
            node.status.update_approved,
            running=VERSION,
            told=self._told,
            launched=self._launched,
            obtainable=bool(self._package_url) or (version is not None and self._versions.has(version)),
        )
        if decision.action is Action.NOTHING or version is None:
            self._say(None)
        elif decision.action is Action.WAIT:
            self._say(AgentUpdate(version=version, checksum=node.spec.agent_checksum, message=decision.message))
        elif decision.action is Action.FAIL:
            self._fail(version, node.spec.agent_checksum, decision.message)
        elif decision.action is Action.GO:
            await self._update(version, node.spec.agent_checksum)

    async def _update(self, version: str, checksum: str | None) -> None:
        self._updating = True
        self._say(AgentUpdate(version=version, checksum=checksum, message="is being installed"))
        # Nobody shall place a VM here from now on; and whoever starts next must know what was tried.
        with contextlib.suppress(TimeoutError):
            await self._nodes.wait_for(
                lambda nodes: (node := nodes.get(self._name)) is not None and node.status.updating, TOLD_SECONDS
            )
            try:
                await self._obtain(version, checksum)
            except PackageError as error:
                self._updating = False
                self._fail(version, checksum, str(error))
                return
            log.info("updating the agent from %s to %s; VMs keep running", VERSION, version)
            UPDATES.labels("started").inc()
            self._versions.ask_for(version)
            self._leave()
            # This process is about to end: whatever changes now is for the next.
            await asyncio.Event().wait()
        self._updating = False
        log.warning("the update to %s waits: the API does not take this node's status", version)

    async def _obtain(self, version: str, checksum: str | None) -> None:
        if checksum is None and self._versions.has(version):
            return
        if not self._package_url:
            raise PackageError(NO_PLACE)
        url = self._package_url.replace("{version}", version)
        self._versions.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        await fetch(url, checksum, self._versions.path(version))

    def _fail(self, version: str, checksum: str | None, message: str) -> None:
        told = AgentUpdate(version=version, checksum=checksum, failed=True, message=message[:1024])
        if told == self._told:
            return
        log.error("the agent is not updated to %s: %s", version, message)
        UPDATES.labels("failed").inc()
        self._say(told)

    def _say(self, told: AgentUpdate | None) -> None:
        if told != self._told:
            self._told = told
            self._wake_report()
