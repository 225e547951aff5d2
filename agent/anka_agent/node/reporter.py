"""Writes the status of this Mac's AnkaNode when something changes, and usage every few minutes."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

from anka_agent import VERSION
from anka_agent.anka.cli import ListedUsbDevice
from anka_agent.anka.errors import AnkaError
from anka_agent.mac import hardware as host
from anka_agent.mac.facts import FACTS_SECONDS, MacFacts
from anka_agent.mac.mac_host import MacHost
from anka_agent.node.usage import list_held, read_usage
from anka_agent.node.view import NodeView
from anka_agent.plan import node_report
from anka_crds.api import AnkaNode
from anka_crds.api.defaults import NODE_REPORT_SECONDS
from anka_crds.api.node import (
    AgentUpdate,
    AnkaInstallation,
    AnkaNodeStatus,
    MacUsage,
    RequiredTemplate,
    TemplateTask,
    UsbDevice,
)
from anka_crds.rules.fitting import shorten_texts
from anka_kube.api_clock import ApiClock
from anka_kube.errors import ApiError, Invalid
from anka_kube.writer import Writer

log = logging.getLogger(__name__)

USB_SECONDS = 5.0
"""Time between two readings of USB devices while one is in use: an instance may wait for it."""
RETRY_SECONDS = 5.0
CLOCK_STEP_SECONDS = 5.0
"""A change of the clock's error that is worth a write."""
CHECK_SECONDS = 10.0
"""Longest time that the failure of a start waits for the report of its Mac."""
GONE = "the AnkaNode of this Mac was deleted, and its tokens end: `anka-agent disjoin --force`, then join again"


@dataclass(eq=False)
class NodeReporter:
    """`due` is set when something has changed that the status shows. `disk`: a path on the disk of the VMs."""

    _writer: Writer[AnkaNode]
    _node: NodeView
    _mac: MacHost
    _distributions: Callable[[], list[TemplateTask]]
    _update: Callable[[], tuple[bool, AgentUpdate | None]]
    """status.updating and status.agentUpdate."""
    _: KW_ONLY
    disk: Path
    hardware_uuid: str | None
    clock: ApiClock
    due: asyncio.Event
    problem: str | None = field(default="not reported yet", init=False)
    """Why the last report failed; None if it succeeded."""
    _refusal: str = field(default="", init=False)
    _written_at: float | None = field(default=None, init=False)
    _clock_ahead: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._hardware = host.read_hardware(self.disk)

    def is_healthy(self) -> bool:
        """Whether the last report went through."""
        return self.problem is None

    async def run(self) -> None:
        """Report until cancelled."""
        facts = self._mac.facts
        while True:
            self.due.clear()
            try:
                await self._node.look_up_address()
                await facts.refresh()
                await self._mac.templates.refresh()
                await self.report()
                wait = USB_SECONDS if facts.usb_in_use else FACTS_SECONDS
            except (ApiError, AnkaError) as error:
                if str(error) != self.problem:
                    log.warning("the node's status is not written: %s; trying again", error)
                self.problem = str(error)
                wait = RETRY_SECONDS
                if isinstance(error, AnkaError):
                    await self._report_problem()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self.due.wait()

    async def check(self) -> None:
        """A start has failed: look at the Mac at once, and report, so that a fault of the Mac is known before its
        instance looks for another one. Raises nothing."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                try:
                    await self._mac.facts.refresh(force=True)
                except AnkaError as error:
                    log.warning("anka does not answer: %s", error)
                await self._report_problem()
        except TimeoutError:
            log.warning("the Mac could not be looked at within %g s", CHECK_SECONDS)

    async def _report_problem(self) -> None:
        """Raises nothing: the next report has it, too."""
        try:
            await self.report()
        except ApiError as error:
            log.warning("the node's status is not written: %s; trying again", error)

    async def report(self) -> None:
        """Write the status if it is worth a write. Raises ApiError."""
        usage = await read_usage(self._mac, self.disk)
        node = self._node.current
        if node is None:
            if self.problem != GONE:
                log.error(GONE)
            self.problem = GONE
            return
        self.problem = None
        status = node_report.to_patch(self._observe(usage))
        now = self.clock.monotonic()
        is_due = self._written_at is None or now - self._written_at >= NODE_REPORT_SECONDS
        if not is_due and not node_report.needs_write(node.status.to_api(), status):
            return
        if self._written_at is None:
            # An interrupted `disjoin` leaves it behind: an agent that starts is here to stay.
            status["leaving"] = None
        try:
            await self._writer.patch_status(node, status, guarded=False)
        except Invalid as error:
            await self._tell_refusal(node, status, error)
        else:
            self._refusal = ""
        self._written_at = now

    async def _tell_refusal(self, node: AnkaNode, status: dict[str, Any], error: Invalid) -> None:
        """Raises ApiError: if the API refuses the rest as well, the Mac has no status to tell it in."""
        level = logging.DEBUG if error.message == self._refusal else logging.ERROR
        self._refusal = error.message
        log.log(level, "%s; the rest of the node's status is written", error)
        await self._writer.patch_status(node, node_report.without_lists(status, error.message), guarded=False)

    def _kept(self) -> list[RequiredTemplate]:
        node = self._node.current
        return [] if node is None else node.status.kept_templates

    def _measure_clock(self) -> int:
        """As reported before while it differs little: what a Date shows swings by a second."""
        ahead = self.clock.ahead_seconds
        if abs(ahead - self._clock_ahead) >= CLOCK_STEP_SECONDS:
            self._clock_ahead = round(ahead)
        return self._clock_ahead

    def _observe(self, usage: MacUsage) -> AnkaNodeStatus:
        mac, hardware = self._mac, self._hardware
        arch = hardware.arch or mac.templates.arch
        updating, update = self._update()
        return AnkaNodeStatus(
            ip_address=self._node.ip_address,
            host_arch="arm64" if arch == "arm64" else "amd64" if arch == "amd64" else None,
            cpu_count=hardware.cpu_count,
            ram_gib=hardware.ram_gib,
            disk_size_bytes=hardware.disk_size_bytes,
            hardware_uuid=self.hardware_uuid,
            clock_ahead_seconds=self._measure_clock(),
            anka_version=_version(mac.facts),
            agent_version=VERSION,
            usage=usage,
            **node_report.fit_lists(list_held(mac), _usb(mac.facts.usb), self._kept()),
            distributions=self._distributions(),
            agent_update=update,
            updating=updating or None,
            **shorten_texts(problem=mac.facts.problem or mac.starts.problem),
            updated_at=self.clock.now().astimezone(UTC).replace(microsecond=0),
        )


def _version(facts: MacFacts) -> AnkaInstallation:
    return AnkaInstallation(
        **shorten_texts(
            product=facts.version.product or None,
            version=facts.version.version or None,
            build=facts.version.build or None,
            license=facts.license.type or None,
            license_status=facts.license.status or None,
            expires=facts.license.expires or None,
        )
    )


def _usb(devices: list[ListedUsbDevice]) -> list[UsbDevice]:
    return [
        UsbDevice(**shorten_texts(location_id=one.location, name=one.name, group=one.group, available=one.available))
        for one in devices
    ]
