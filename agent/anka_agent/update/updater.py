"""Updates this agent to spec.agentVersion: downloads and verifies it, then ends, so that the launcher starts it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

from anka_agent import VERSION, metrics
from anka_agent.node.view import NodeView
from anka_agent.plan.update import NO_PLACE, UpdateAction, decide_update
from anka_agent.update.package import PackageError, fetch
from anka_agent.update.versions import Versions
from anka_crds.api import AnkaNode
from anka_crds.api.node import AgentUpdate

log = logging.getLogger(__name__)

REPORT_SECONDS = 15.0
"""Longest time until the API shows that this Mac is Updating."""


class UpdateState:
    """`report_due` is set when there is something new to report. `update`: as the status has it."""

    def __init__(self, report_due: asyncio.Event, update: AgentUpdate | None) -> None:
        self.updating = False
        self.update = update
        self._report_due = report_due

    def post(self, update: AgentUpdate | None) -> None:
        if update != self.update:
            self.update = update
            self._report_due.set()

    def report(self) -> tuple[bool, AgentUpdate | None]:
        """status.updating and status.agentUpdate."""
        return self.updating, self.update


@dataclass(eq=False)
class Updater:
    """`is_reported`: whether the last report of the node went through. `leave`: ends this process with UPDATE_EXIT."""

    _node: NodeView
    _versions: Versions
    _state: UpdateState
    _: KW_ONLY
    package_url: str
    package_key: str
    launched: bool
    is_reported: Callable[[], bool]
    leave: Callable[[], None]
    _up: bool = field(default=False, init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        self._take_over_failure()
        self._node.subscribe(self._changed.set)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._changed.clear()
            node = self._node.current
            if node is not None:
                self._confirm_start(node)
                await self._follow(node)
            await self._changed.wait()

    def _confirm_start(self, node: AnkaNode) -> None:
        """This version is up once the API has its report: whatever else is wrong, it can still be updated."""
        if self.launched and not self._up and node.status.agent_version == VERSION and self.is_reported():
            self._up = True
            self._versions.record_start(VERSION)

    def _take_over_failure(self) -> None:
        """Report why the launcher went back from the version that ran before this one."""
        update = self._state.update
        if update is None or update.failed or update.version == VERSION:
            return
        reason = self._versions.find_failure(update.version)
        if reason is not None:
            self._fail(update.version, update.checksum, reason)

    async def _follow(self, node: AnkaNode) -> None:
        version = node.spec.agent_version
        decision = decide_update(
            node.spec,
            node.status.update_approved,
            running=VERSION,
            reported=self._state.update,
            launched=self.launched,
            obtainable=bool(self.package_url) or (version is not None and self._versions.has(version)),
        )
        if decision.action is UpdateAction.NOTHING or version is None:
            self._state.post(None)
        elif decision.action is UpdateAction.WAIT:
            self._state.post(AgentUpdate(version=version, checksum=node.spec.agent_checksum, message=decision.message))
        elif decision.action is UpdateAction.FAIL:
            self._fail(version, node.spec.agent_checksum, decision.message)
        elif decision.action is UpdateAction.GO:
            await self._update(version, node.spec.agent_checksum)

    async def _update(self, version: str, checksum: str | None) -> None:
        self._state.updating = True
        self._state.post(AgentUpdate(version=version, checksum=checksum, message="is being installed"))
        # No VM may be placed here from now on, and the next version must know what was tried.
        with contextlib.suppress(TimeoutError):
            await self._node.wait_for(lambda node: bool(node.status.updating), REPORT_SECONDS)
            try:
                await self._obtain(version, checksum)
            except PackageError as error:
                self._state.updating = False
                self._fail(version, checksum, str(error))
                return
            log.info("updating the agent from %s to %s; VMs keep running", VERSION, version)
            metrics.UPDATES.labels("started").inc()
            self._versions.request(version)
            self.leave()
            # This process is about to end: later changes are left to the next one.
            await asyncio.Event().wait()
        self._state.updating = False
        log.warning("the update to %s waits: the API does not take this node's status", version)

    async def _obtain(self, version: str, checksum: str | None) -> None:
        if checksum is None and self._versions.has(version):
            return
        if not self.package_url:
            raise PackageError(NO_PLACE)
        url = self.package_url.replace("{version}", version)
        self._versions.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        await fetch(url, checksum, self._versions.path(version), self.package_key)

    def _fail(self, version: str, checksum: str | None, message: str) -> None:
        update = AgentUpdate(version=version, checksum=checksum, failed=True, message=message[:1024])
        if update == self._state.update:
            return
        log.error("the agent is not updated to %s: %s", version, message)
        metrics.UPDATES.labels("failed").inc()
        self._state.post(update)
