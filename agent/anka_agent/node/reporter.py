"""Writes the status of this Mac's AnkaNode when something changed, and usage every few minutes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anka_agent import VERSION, host
from anka_agent.anka.errors import AnkaError
from anka_agent.anka.operations import License, Operations, Usb, Version
from anka_agent.instances.inventory import Inventory
from anka_agent.instances.pulls import Templates
from anka_agent.plan import node_report
from anka_crds.api import AnkaNode
from anka_crds.api.node import AgentUpdate, AnkaVersion, TemplateWork, UsbDevice
from anka_crds.kube.errors import ApiError
from anka_crds.kube.writer import Writer
from anka_crds.process.clock import Clock

log = logging.getLogger(__name__)

USAGE_SECONDS = 300.0
FACTS_SECONDS = 60.0
"""How often licence, version and USB devices are asked for: they change when somebody changes them."""
USB_SECONDS = 5.0
"""How often USB devices are asked for while one is in use: somebody may wait for it."""
GONE = "the AnkaNode of this Mac was deleted: restart the agent to join again, or remove the agent"


@dataclass
class MacFacts:
    """What anka says about itself and the Mac."""

    version: Version
    license: License
    usb: list[Usb]


class NodeReporter:
    def __init__(
        self,
        writer: Writer[AnkaNode],
        node: Callable[[], AnkaNode | None],
        anka: Operations,
        inventory: Inventory,
        templates: Templates,
        facts: MacFacts,
        *,
        ip_address: str | None,
        disk: Path,
        clock: Clock,
        distributions: Callable[[], list[TemplateWork]],
        update: Callable[[], tuple[bool, AgentUpdate | None]] = lambda: (False, None),
    ) -> None:
        self.facts = facts
        self.trouble: str | None = "not reported yet"
        """Why the last report failed; None when it did not."""
        self._writer = writer
        self._node = node
        self._anka = anka
        self._inventory = inventory
        self._templates = templates
        self._ip_address = ip_address
        self._disk = disk
        self._clock = clock
        self._distributions = distributions
        self._update = update
        self._hardware = host.hardware(disk)
        self._wake = asyncio.Event()
        self._written_at: float | None = None
        self._facts_at = clock.monotonic()
        self._usb_asked = True

    def wake(self) -> None:
        self._wake.set()

    def usb_changed(self) -> None:
        """A VM has taken or left a device: ask now, somebody may wait for it."""
        self._usb_asked = False
        self._wake.set()

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            self._wake.clear()
            wait = FACTS_SECONDS
            try:
                await self._refresh_facts()
                await self._templates.refresh(self._inventory.templates())
                await self.report()
                wait = USB_SECONDS if self._usb_in_use() else FACTS_SECONDS
            except (ApiError, AnkaError) as error:
                if str(error) != self.trouble:
                    log.warning("the node's status is not written: %s; trying again", error)
                self.trouble = str(error)
                wait = 5.0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def _refresh_facts(self) -> None:
        now = self._clock.monotonic()
        if now - self._facts_at < FACTS_SECONDS:
            if self._usb_in_use() or not self._usb_asked:
                self._usb_asked = True
                self.facts.usb = await self._anka.usb()
            return
        self._facts_at = now
        self._usb_asked = True
        version, license_, usb = await self._anka.version(), await self._anka.license(), await self._anka.usb()
        if license_.valid != self.facts.license.valid:
            log.warning("the Anka licence is now %s", license_.status)
        self.facts = MacFacts(version, license_, usb)

    def _usb_in_use(self) -> bool:
        return any(not usb.available for usb in self.facts.usb)

    async def report(self) -> None:
        """Write the status if it is worth a write. Raises ApiError."""
        node = self._node()
        if node is None:
            if self.trouble != GONE:
                log.error(GONE)
            self.trouble = GONE
            return
        self.trouble = None
        held = node_report.templates(
            (vm, [(tag.tag, tag.size) for tag in tags]) for vm, tags in self._templates.held.values()
        )
        updating, update = self._update()
        status = node_report.status(
            ip_address=self._ip_address,
            host_arch=self._hardware.arch or self._templates.arch,
            cpu_count=self._hardware.cpu_count,
            ram_gib=self._hardware.ram_gib,
            disk_size_bytes=self._hardware.disk_size_bytes,
            anka_version=_version(self.facts),
            agent_version=VERSION,
            used=node_report.usage(
                self._inventory.own(),
                held,
                free_disk_bytes=host.free_disk_bytes(self._disk),
                cpu_percent=host.cpu_percent(),
                ram_percent=host.ram_percent(),
            ),
            held=held,
            usb_devices=_usb(self.facts.usb),
            distributions=self._distributions(),
            now=self._clock.now(),
            updating=updating,
            update=update,
        )
        now = self._clock.monotonic()
        due = self._written_at is None or now - self._written_at >= USAGE_SECONDS
        if not due and not node_report.needs_write(node.status.to_api(), status):
            return
        if self._written_at is None:
            # Whoever disjoined this Mac and was cut off: an agent that starts stays.
            status["leaving"] = None
        await self._writer.patch_status(node, status, guarded=False)
        self._written_at = now


def _version(facts: MacFacts) -> AnkaVersion:
    return AnkaVersion(
        product=facts.version.product or None,
        version=facts.version.version or None,
        build=facts.version.build or None,
        license=facts.license.type or None,
        license_status=facts.license.status or None,
        expires=facts.license.expires or None,
    )


def _usb(devices: list[Usb]) -> list[UsbDevice]:
    return [
        UsbDevice(location_id=one.location, name=one.name, group=one.group, available=one.available) for one in devices
    ]
