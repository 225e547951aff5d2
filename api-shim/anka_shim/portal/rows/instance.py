"""An AnkaInstance as a row. Pure."""

from datetime import datetime, timedelta
from typing import Any

from anka_crds.api.conditions import ConditionType, InstanceReason
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.states import Phase
from anka_crds.api.vm_info import ScriptResult, VmInfo
from anka_crds.rules.condition_list import find
from anka_scheduler.queue import to_queued
from anka_scheduler.shape import is_pending
from anka_shim.catalog import Catalog, group_id, template_id
from anka_shim.portal.rows.row import Row, compact, ready, requester, time
from anka_shim.vm.answer import state

NEVER = frozenset(
    {
        InstanceReason.NODE_NOT_FOUND,
        InstanceReason.GROUP_NOT_FOUND,
        InstanceReason.GROUP_EMPTY,
        InstanceReason.TEMPLATE_NOT_FOUND,
        InstanceReason.TEMPLATE_AMBIGUOUS,
        InstanceReason.TAG_NOT_FOUND,
        InstanceReason.VERSION_NOT_FOUND,
    }
)
"""Reasons for which an instance waits, and that waiting does not change."""


def instance_row(obj: AnkaInstance, id_: str, ids: Catalog) -> Row:
    """`id_`: in the REST API."""
    metadata, spec, status = obj.metadata, obj.spec, obj.status
    network, vm = spec.network, status.vm
    is_waiting = is_pending(obj)
    condition = find(status.conditions, ConditionType.SCHEDULED) if is_waiting else None
    shown = condition or ready(obj)
    reason = shown.reason if shown is not None else ""
    since = waiting_since(obj)
    requested = compact(
        id=template_id(spec.template, ids), name=_template_name(obj, ids), tag=spec.tag, version=spec.version
    )
    resolved = status.template
    return compact(
        id=id_,
        name=metadata.name,
        namespace=metadata.namespace,
        uid=metadata.uid,
        displayName=spec.display_name,
        created=time(metadata.creation_timestamp),
        phase=status.phase.value,
        legacyState=state(obj).value,
        reason=reason,
        message=status.message or (shown.message if shown is not None else ""),
        ready=is_ready(obj),
        deleted=time(metadata.deletion_timestamp),
        node=status.node_name,
        requestedNode=spec.node,
        group=group_id(spec.group, ids) if spec.group is not None else None,
        permissionGroup=spec.permission_group,
        template=requested
        if resolved is None
        else compact(
            id=resolved.id,
            name=resolved.name or _template_name(obj, ids),
            tag=resolved.tag or spec.tag,
            version=resolved.version if resolved.version is not None else spec.version,
        ),
        arch=status.arch,
        priority=spec.priority,
        queueKey=queue_key(obj) if is_waiting else None,
        waitingSince=time(since) if is_waiting else None,
        deadline=time(since + timedelta(seconds=spec.start_deadline_seconds))
        if since is not None and spec.start_deadline_seconds is not None and status.started_at is None
        else None,
        keptFree=status.kept_free,
        percent=status.progress_percent if status.phase is Phase.PULLING else None,
        scheduledAt=time(status.scheduled_at),
        startedAt=time(status.started_at),
        finishedAt=time(status.finished_at),
        macAddress=status.mac_address
        or (vm.mac_address if vm is not None else None)
        or (network.mac_address if network is not None else None),
        usbDevice=status.usb_device or spec.usb_device,
        vlan=status.vlan or (network.vlan if network is not None else None),
        ports=_ports(vm),
        externalId=spec.external_id,
        metadata=spec.metadata or {},
        requestedBy=requester(metadata),
        script=_script(status.startup_script),
        never=is_waiting and reason in NEVER,
        managedBy=spec.managed_by,
        **_vm(vm),
        **_size(obj),
    )


def waiting_since(obj: AnkaInstance) -> datetime | None:
    return obj.status.rescheduled_at or obj.metadata.creation_timestamp


def queue_key(obj: AnkaInstance) -> list[Any]:
    """Compared element by element, the order in which instances are scheduled."""
    place = to_queued(obj)
    return [place.priority, time(place.created), place.uid]


def is_ready(obj: AnkaInstance) -> bool:
    condition = ready(obj)
    return condition is not None and condition.status == "True"


def _template_name(obj: AnkaInstance, ids: Catalog) -> str | None:
    found = ids.template(template_id(obj.spec.template, ids))
    return None if found is None else found.spec.display_name or found.status.name


def _vm(vm: VmInfo | None) -> Row:
    if vm is None:
        return {}
    return {
        "vmCreatedAt": time(vm.creation_date),
        "vmStartedAt": time(vm.start_date),
        "ip": vm.ip,
        "hostIp": vm.host_ip,
        "vncUrl": vm.vnc_connection_string,
    }


def _size(obj: AnkaInstance) -> Row:
    """Of the VM; of what was asked for, until there is one."""
    vm, wanted = obj.status.vm, obj.spec.resources
    ram = vm.ram if vm is not None and vm.ram else None
    if ram is None and wanted is not None and wanted.memory_mib:
        ram = f"{wanted.memory_mib}M"
    return {
        "vcpus": (vm.cpu_cores if vm is not None else None) or (wanted.vcpu if wanted is not None else None),
        "ram": ram,
    }


def _ports(vm: VmInfo | None) -> list[Row]:
    return [
        compact(name=port.name, guest=port.guest_port, host=port.host_port, protocol=port.protocol)
        for port in (vm.port_forwarding if vm is not None else None) or ()
    ]


def _script(result: ScriptResult | None) -> Row | None:
    return None if result is None else {"code": result.return_code, "timedOut": result.did_timeout}
