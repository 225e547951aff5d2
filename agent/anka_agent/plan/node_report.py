"""What the agent writes into the status of its AnkaNode: all but state, keptTemplates, unkept, assigned,
updateApproved, conditions and observedGeneration, which the operator writes, and vlans."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from anka_agent.anka.vm import Vm
from anka_agent.plan.instance_report import MESSAGE_LIMIT
from anka_crds.api.limits import HELD_BYTES, MAX_LOCAL_TEMPLATES, MAX_USB_DEVICES, USB_BYTES
from anka_crds.api.node import AnkaNodeStatus, LocalTemplate, MacUsage, RequiredTemplate, UsbDevice
from anka_crds.rules.fitting import describe_cut, shorten_texts, take_fitting
from anka_crds.rules.text import shorten

REPORTED = frozenset(
    {"ipAddress", "hostArch", "cpuCount", "ramGib", "diskSizeBytes", "hardwareUuid", "clockAheadSeconds",
     "ankaVersion", "agentVersion", "updating", "agentUpdate", "problem", "usage", "templates", "distributions",
     "usbDevices", "omitted", "updatedAt"}
)  # fmt: skip
"""The fields that the agent writes. Not vlans: no `anka` command lists those of a Mac, so people may set them."""
URGENT = REPORTED - {"usage", "distributions", "updatedAt"}
"""Fields whose changes are written at once."""

LISTS = ("templates", "usbDevices", "distributions")

TemplateRow = tuple[Vm, Iterable[tuple[str | None, int | None]]]


def list_templates(rows: Iterable[TemplateRow]) -> list[LocalTemplate]:
    """One entry for each tag on the Mac; a template without tags has one entry without a tag."""
    found = []
    for vm, tags in rows:
        entries = list(tags) or [(vm.version, vm.image_size)]
        for tag, size in entries:
            # `show` covers only the tag in use.
            seen = LocalTemplate(**shorten_texts(uuid=vm.uuid, name=vm.name, tag=tag, size_bytes=size))
            if tag == vm.version:
                seen.vcpu, seen.memory_mib = vm.cpu_cores, (vm.ram_bytes or 0) >> 20 or None
            found.append(seen)
    return sorted(found, key=_order)


def _order(held: LocalTemplate) -> tuple[str, str, str]:
    return held.name, held.uuid, held.tag or ""


def fit_lists(
    templates: Collection[LocalTemplate], devices: Collection[UsbDevice], kept: Iterable[RequiredTemplate]
) -> dict[str, Any]:
    """Fields of the status: the lists as far as it has room for them, and what is left out.

    What rules keep here (`kept`) goes first, for the operator waits for it; then the tags in use, whose sizes the
    scheduler learns."""
    wanted = {(one.template, one.tag) for one in kept}
    by_need = sorted(templates, key=lambda held: ((held.uuid, held.tag) not in wanted, held.vcpu is None))
    shown = take_fitting(by_need, MAX_LOCAL_TEMPLATES, HELD_BYTES)
    plugged = take_fitting(devices, MAX_USB_DEVICES, USB_BYTES)
    cuts = (
        describe_cut("status.templates lists {} of {} tags on the Mac's disk", len(shown), len(templates)),
        describe_cut("status.usbDevices lists {} of {} devices: no other can be claimed", len(plugged), len(devices)),
    )
    omitted = "; ".join(filter(None, cuts)) or None
    return {"templates": sorted(shown, key=_order), "usb_devices": plugged, "omitted": omitted}


def without_lists(patch: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The API refuses the status: what is left of it, and why. The lists stay as they were."""
    omitted = shorten(f"the Kubernetes API refuses the lists of this status, so they are old: {why}", MESSAGE_LIMIT)
    return {**{key: value for key, value in patch.items() if key not in LISTS}, "omitted": omitted}


def sum_usage(
    vms: Iterable[Vm], held: Iterable[LocalTemplate], *, free_disk_bytes: int, cpu_percent: int, ram_percent: int
) -> MacUsage:
    running = [vm for vm in vms if vm.running]
    return MacUsage(
        vm_count=len(running),
        vcpu_count=sum(vm.cpu_cores or 0 for vm in running),
        vram_mib=sum((vm.ram_bytes or 0) >> 20 for vm in running),
        cpu_percent=cpu_percent,
        ram_percent=ram_percent,
        free_disk_bytes=free_disk_bytes,
        anka_disk_bytes=sum(template.size_bytes or 0 for template in held),
    )


def to_patch(status: AnkaNodeStatus) -> dict[str, Any]:
    """The merge patch. A null clears what an earlier agent wrote, in case it did not get to clear it."""
    full = status.to_api()
    cleared: dict[str, Any] = dict.fromkeys(("updating", "agentUpdate", "problem", "omitted"))
    return cleared | {key: value for key, value in full.items() if key in REPORTED}


def needs_write(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether something changed that schedulers and people act on. Usage alone is no reason, nor is finished work on a
    template that is no longer listed: it goes with the next write."""
    reported = current.get("distributions", [])
    if any(work not in reported for work in wanted.get("distributions", [])):
        return True
    return any(current.get(key) != wanted.get(key) for key in URGENT)
