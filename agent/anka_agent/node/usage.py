"""What is used of the Mac now: for the node's status, and for each heartbeat."""

import asyncio
import logging
from pathlib import Path

from anka_agent.mac import hardware as host
from anka_agent.mac.mac_host import MacHost
from anka_agent.plan import node_report
from anka_crds.api.node import LocalTemplate, MacUsage
from anka_crds.rules.lease_usage import to_annotations

log = logging.getLogger(__name__)

READ_SECONDS = 2.0
"""Longest time that a heartbeat waits for it."""


def list_held(mac: MacHost) -> list[LocalTemplate]:
    return node_report.list_templates(
        (vm, [(tag.tag, tag.size) for tag in tags]) for vm, tags in mac.templates.held.values()
    )


async def read_usage(mac: MacHost, disk: Path) -> MacUsage:
    """`disk`: a path on the disk of the VMs. Raises OSError."""
    # macOS takes a process for it: VMs and heartbeats must not wait.
    ram_percent = await asyncio.to_thread(host.ram_percent)
    return node_report.sum_usage(
        mac.inventory.own(),
        list_held(mac),
        free_disk_bytes=host.free_disk_bytes(disk),
        cpu_percent=host.cpu_percent(),
        ram_percent=ram_percent,
    )


async def annotate_usage(mac: MacHost, disk: Path) -> dict[str, str]:
    """For the heartbeat, which must not depend on it: empty if it cannot be read in time."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            return to_annotations(await read_usage(mac, disk))
    except OSError as error:  # TimeoutError is one
        log.warning("the usage of this Mac cannot be read: %s", str(error) or f"not within {READ_SECONDS:g} s")
        return {}
