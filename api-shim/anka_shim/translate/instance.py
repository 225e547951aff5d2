"""An AnkaInstance as the old API shows it: the list's element and the `vm` object inside it.

What is left out when empty and what never is: seed document, "VM Instance"; legacy-clients hazards 3 to 6. A null
inside `vm` costs Jenkins and TeamCity the whole list, so nothing here is ever null there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.phase import Phase
from anka_crds.api.vm_info import ForwardedPort, ScriptResult, VmInfo
from anka_crds.core.naming import instance_id
from anka_shim.translate.times import rfc3339

Answer = dict[str, Any]


def id_of(obj: AnkaInstance) -> str:
    return instance_id(obj.metadata.name, obj.metadata.uid)


def state(obj: AnkaInstance) -> Phase:
    """An object that is being deleted is Terminating, whatever its VM is doing still."""
    if obj.metadata.deletion_timestamp is not None and obj.status.phase is not Phase.TERMINATED:
        return Phase.TERMINATING
    return obj.status.phase


def wrapper(obj: AnkaInstance, registry: str, terminated_at: datetime | None = None) -> Answer:
    """An element of the list. Nulls are normal here, and only here."""
    return envelope_of(vm(obj, registry, terminated_at))


def envelope_of(inner: Answer) -> Answer:
    return {
        "instance_id": inner["instance_id"],
        "external_id": inner.get("external_id"),
        "name": inner.get("name"),
        "vm": inner,
    }


def vm(obj: AnkaInstance, registry: str, terminated_at: datetime | None = None) -> Answer:
    """The `vm` object. `registry` is our registry's URL, until the scheduler has recorded the instance's own.

    `terminated_at`: when the object was gone; such an instance is shown as Terminated for a while.
    """
    spec, status = obj.spec, obj.status
    template = status.template
    network = spec.network
    answer: Answer = {
        "instance_id": id_of(obj),
        "instance_state": str(Phase.TERMINATED if terminated_at else state(obj)),
        "message": status.message,
        "anka_registry": status.registry or registry,
        "vmid": template.id if template else spec.template,
        "tag": (template.tag if template else None) or spec.tag,
        "version": (template.version if template else None) or spec.version,
        "vminfo": vminfo(status.vm, status.node_name) if status.vm else None,
        "node_id": status.node_name,
        "inflight_reqid": status.request_id,
        "ts": rfc3339(terminated_at or status.updated_at or _last_known_change(obj)),
        "cr_time": rfc3339(obj.metadata.creation_timestamp or _last_known_change(obj)),
        "progress": (status.progress_percent or 0) / 100,
        "group_id": spec.group or "",
        "name": spec.display_name,
        "external_id": spec.external_id,
        "metadata": spec.metadata,
        # Capital letters, as requests have them: whoever asked for one finds the same text.
        "mac_address": (
            status.mac_address
            or (status.vm.mac_address if status.vm else None)
            or (network.mac_address if network else None)
            or ""
        ).upper(),
        "arch": status.arch,
        "vlan": status.vlan or (network.vlan if network else None) or "",
        "usb_device": status.usb_device or spec.usb_device or "",
        "startup_script": _script(obj),
    }
    return {key: value for key, value in answer.items() if key in ALWAYS or value}


ALWAYS = frozenset(
    {
        "instance_id",
        "vmid",
        "group_id",
        "instance_state",
        "anka_registry",
        "ts",
        "cr_time",
        "progress",
        "vlan",
        "usb_device",
    }
)
"""Never left out, and never null."""


def vminfo(info: VmInfo, node_id: str | None) -> Answer | None:
    """None unless the VM has what clients read first: uuid and status."""
    if not info.uuid or not info.status:
        return None
    answer: Answer = {
        "uuid": info.uuid,
        "name": info.name,
        "status": info.status,
        "version": info.version or "",
        "creation_date": rfc3339(info.creation_date),
        "access_date": rfc3339(info.access_date),
        "cpu_cores": info.cpu_cores or 0,
        "ram": info.ram or "",
        "node_id": node_id or "",
        "host_ip": info.host_ip or "",
        "ip": info.ip or "",
        "vnc_port": info.vnc_port or 0,
        "start_date": rfc3339(info.start_date),
        "stop_date": rfc3339(info.stop_date),
        "timestamp": rfc3339(info.timestamp),
    }
    if info.vnc_connection_string:
        answer["vnc_connection_string"] = info.vnc_connection_string
    if info.port_forwarding:
        answer["port_forwarding"] = [_port(port) for port in info.port_forwarding]
    return answer


def _port(port: ForwardedPort) -> Answer:
    return {
        "guest_port": port.guest_port,
        "host_port": port.host_port,
        "protocol": port.protocol or "tcp",
        "name": port.name or "",
    }


def _script(obj: AnkaInstance) -> Answer | None:
    """Only of a monitored script that has ended."""
    wanted, result = obj.spec.startup_script, obj.status.startup_script
    return _result(result) if wanted and wanted.monitoring and result else None


def _result(result: ScriptResult) -> Answer:
    answer: Answer = {
        "return_code": result.return_code,
        "did_timeout": result.did_timeout,
        "stdout": result.stdout,
        "stderr": result.stderr,
    }
    if result.errors:
        answer["errors"] = result.errors
    return answer


def _last_known_change(obj: AnkaInstance) -> datetime | None:
    """Before any status was written: the newest time that the object itself carries."""
    status = obj.status
    moments = (
        obj.metadata.deletion_timestamp,
        status.finished_at,
        status.started_at,
        status.scheduled_at,
        obj.metadata.creation_timestamp,
    )
    return max((moment for moment in moments if moment is not None), default=None)
