"""What the agent writes into the status of its AnkaNode: everything but state, keptTemplates,
vlans, conditions and observedGeneration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from anka_agent.anka.vm import Vm
from anka_crds.api.node import AgentUpdate, AnkaNodeStatus, AnkaVersion, HeldTemplate, TemplateWork, Usage, UsbDevice

REPORTED = frozenset(
    {"ipAddress", "hostArch", "cpuCount", "ramGib", "diskSizeBytes", "ankaVersion", "agentVersion", "updating",
     "agentUpdate", "usage", "templates", "distributions", "usbDevices", "updatedAt"}
)  # fmt: skip
"""The fields that are the agent's to write. Not vlans: no `anka` command lists those of a Mac, people may say them."""
CALM = REPORTED - {"usage", "distributions", "updatedAt"}
"""Those of them whose change is a reason to write at once."""

TemplateRow = tuple[Vm, Iterable[tuple[str | None, int | None]]]


def templates(rows: Iterable[TemplateRow]) -> list[HeldTemplate]:
    """One entry for each tag that is held; a template without tags has one without."""
    found = []
    for vm, tags in rows:
        entries = list(tags) or [(vm.version, vm.image_size)]
        for tag, size in entries:
            # `show` tells of the tag in use only.
            seen = HeldTemplate(uuid=vm.uuid, name=vm.name, tag=tag, size_bytes=size)
            if tag == vm.version:
                seen.vcpu, seen.memory_mib = vm.cpu_cores, (vm.ram_bytes or 0) >> 20 or None
            found.append(seen)
    return sorted(found, key=lambda held: (held.name, held.uuid, held.tag or ""))[:1024]


def usage(
    vms: Iterable[Vm], held: Iterable[HeldTemplate], *, free_disk_bytes: int, cpu_percent: int, ram_percent: int
) -> Usage:
    running = [vm for vm in vms if vm.running]
    return Usage(
        vm_count=len(running),
        vcpu_count=sum(vm.cpu_cores or 0 for vm in running),
        vram_mib=sum((vm.ram_bytes or 0) >> 20 for vm in running),
        cpu_percent=cpu_percent,
        ram_percent=ram_percent,
        free_disk_bytes=free_disk_bytes,
        anka_disk_bytes=sum(template.size_bytes or 0 for template in held),
    )


def status(
    *,
    ip_address: str | None,
    host_arch: str | None,
    cpu_count: int,
    ram_gib: int,
    disk_size_bytes: int,
    anka_version: AnkaVersion,
    agent_version: str,
    used: Usage,
    held: list[HeldTemplate],
    usb_devices: list[UsbDevice],
    distributions: list[TemplateWork],
    now: datetime,
    updating: bool = False,
    update: AgentUpdate | None = None,
) -> dict[str, Any]:
    full = AnkaNodeStatus(
        ip_address=ip_address,
        host_arch="arm64" if host_arch == "arm64" else "amd64" if host_arch == "amd64" else None,
        cpu_count=cpu_count,
        ram_gib=ram_gib,
        disk_size_bytes=disk_size_bytes,
        anka_version=anka_version,
        agent_version=agent_version,
        usage=used,
        templates=held,
        usb_devices=usb_devices,
        distributions=distributions,
        agent_update=update,
        updating=updating or None,
        updated_at=now.astimezone(UTC).replace(microsecond=0),
    ).to_api()
    # Null takes back what the agent before this one told: it may not have come to say that it is done.
    return {"updating": None, "agentUpdate": None} | {key: value for key, value in full.items() if key in REPORTED}


def needs_write(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether something changed that schedulers and people go by. Usage alone is no reason, nor is work with a template
    that is over and done with: it leaves with the next write."""
    told = current.get("distributions", [])
    if any(work not in told for work in wanted.get("distributions", [])):
        return True
    return any(current.get(key) != wanted.get(key) for key in CALM)
