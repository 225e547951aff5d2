"""An AnkaNode as a row. Pure."""

from collections.abc import Mapping
from typing import Any

from anka_crds.api.conditions import ConditionType
from anka_crds.api.node import AnkaNode, MacUsage
from anka_shim.catalog import Catalog, group_id
from anka_shim.node.answer import NodeHeartbeat, NodeLoad, capacity, state
from anka_shim.portal.rows.row import Row, compact, requester, time

_USUALLY_TRUE = frozenset({ConditionType.READY, ConditionType.ALIVE})


def node_row(
    node: AnkaNode,
    taken: NodeLoad,
    ids: Catalog,
    *,
    heartbeat: NodeHeartbeat | None = None,
    failures: Mapping[str, Any] | None = None,
) -> Row:
    """`taken`: by the VMs on it. `failures`: its latest, as far as they are remembered."""
    metadata, spec, status = node.metadata, node.spec, node.status
    beat = heartbeat or NodeHeartbeat()
    usage = beat.usage or status.usage
    update = status.agent_update
    return compact(
        id=metadata.name,
        name=spec.display_name or metadata.name,
        uid=metadata.uid,
        created=time(metadata.creation_timestamp),
        deleted=time(metadata.deletion_timestamp),
        state=state(node).value,
        draining=spec.drain_mode,
        leaving=bool(status.leaving),
        updating=bool(status.updating),
        problem=status.problem,
        host=spec.host or status.ip_address,
        ip=status.ip_address,
        arch=status.host_arch,
        groups=[group_id(word, ids) for word in spec.groups],
        capacityMode=spec.capacity_mode,
        capacity=capacity(node),
        maxVms=spec.max_vm_count,
        vcpuOverride=spec.vcpu_override,
        ramOverrideGib=spec.ram_override_gib,
        reservePercent=spec.reserve_space_percent,
        vcpus=status.cpu_count,
        ramGib=status.ram_gib,
        usage={"vms": taken.vms, "vcpus": taken.vcpus, "ramMib": taken.vram_mib, **_load(usage)},
        disk=compact(sizeBytes=status.disk_size_bytes, **_disk(usage)),
        anka=_anka(node),
        agentVersion=status.agent_version,
        wantedAgentVersion=spec.agent_version,
        update=None
        if update is None
        else {"version": update.version, "failed": update.failed, "message": update.message},
        centralLogging=not spec.disable_central_logging,
        heartbeatAt=time(beat.at),
        clockAheadSeconds=status.clock_ahead_seconds,
        conditions=_conditions(node),
        templates=[
            compact(id=one.uuid, name=one.name, tag=one.tag, sizeBytes=one.size_bytes, lastUsed=time(one.last_used))
            for one in status.templates
        ],
        tasks=[
            compact(name=task.name, percent=task.progress_percent, done=task.done, message=task.message)
            for task in status.distributions
        ],
        kept=[{"template": kept.template, "tag": kept.tag} for kept in status.kept_templates],
        usb=[
            compact(location=usb.location_id, name=usb.name, group=usb.group, available=usb.available)
            for usb in status.usb_devices
        ],
        vlans=status.vlans,
        failures=failures,
        requestedBy=requester(metadata),
    )


def _load(usage: MacUsage | None) -> Row:
    return {} if usage is None else {"cpuPercent": usage.cpu_percent, "ramPercent": usage.ram_percent}


def _disk(usage: MacUsage | None) -> Row:
    return {} if usage is None else {"freeBytes": usage.free_disk_bytes, "ankaBytes": usage.anka_disk_bytes}


def _anka(node: AnkaNode) -> Row | None:
    anka = node.status.anka_version
    if anka is None:
        return None
    return compact(
        version=anka.version,
        build=anka.build,
        license=anka.license,
        licenseStatus=anka.license_status,
        expires=anka.expires,
    )


def _conditions(node: AnkaNode) -> list[Row]:
    """Ready, and those that are not as they should be."""
    return [
        {
            "type": one.type,
            "status": one.status,
            "reason": one.reason,
            "message": one.message,
            "since": time(one.last_transition_time),
        }
        for one in node.status.conditions
        if one.type == ConditionType.READY or one.status != ("True" if one.type in _USUALLY_TRUE else "False")
    ]
