"""An AnkaInstance as the old API shows it: the list's element and the `vm` object inside it. Pure.

What is left out when empty and what never is: docs/reference/legacy-api.md#vm-object. A null
inside `vm` costs Jenkins and TeamCity the whole list, so nothing is ever null there.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.states import Phase
from anka_crds.api.vm_info import VM_ADDRESSES, VM_DELETED, VmInfo
from anka_shim.catalog import Catalog, group_id, template_id
from anka_shim.http.answer import Answer, OmissionMarker, Ratio, Time, make_ok
from anka_shim.times import rfc3339


class PortAnswer(Answer):
    guest_port: int
    host_port: int
    protocol: str = Field(examples=["tcp"])
    name: str


class VmInfoAnswer(Answer):
    """The VM on the Mac. Times are 0001-01-01T00:00:00Z for never."""

    uuid: str
    name: str
    status: str = Field(examples=["running"])
    version: str
    creation_date: Time
    access_date: Time
    cpu_cores: int
    ram: str = Field(examples=["4G"])
    node_id: str
    host_ip: str
    ip: str
    vnc_port: int
    start_date: Time
    stop_date: Time
    timestamp: Time
    vnc_connection_string: str = Field(description="Empty without VNC and when the VM is gone: mgmtcl reads it.")
    port_forwarding: list[PortAnswer] = Field(default_factory=list, description="Left out when empty.")


class ScriptAnswer(Answer):
    return_code: int = Field(description="-1 if it timed out.")
    did_timeout: bool
    stdout: str
    stderr: str
    errors: list[str] = Field(default_factory=list, description="Left out when empty.")


class VmAnswer(Answer):
    """An instance. Fields that are not required are left out when empty."""

    instance_id: str
    instance_state: Phase
    message: str = Field(default="", description="Why the instance failed.")
    anka_registry: str
    vmid: str
    tag: str = ""
    version: int = 0
    vminfo: Annotated[VmInfoAnswer | None, OmissionMarker()] = None
    node_id: str = ""
    inflight_reqid: str = ""
    ts: Time
    cr_time: Time
    progress: Ratio = Field(description="Of the pull, in state Pulling.")
    group_id: str
    group: str = Field(default="", description="Permission group that it is made for.")
    name: str = ""
    external_id: str = ""
    metadata: dict[str, str | int | bool] = Field(default_factory=dict)
    mac_address: str = ""
    arch: Annotated[Literal["amd64", "arm64"] | None, OmissionMarker()] = None
    vlan: str
    usb_device: str
    startup_script: Annotated[ScriptAnswer | None, OmissionMarker()] = None


class ElementAnswer(Answer):
    """An element of the list. Nulls are normal here, and only here."""

    instance_id: str = Field(examples=["e51259fe-6277-4776-4de0-016ea5971c7e"])
    external_id: str | None = Field(examples=["TEST123"])
    name: str | None = Field(examples=[None])
    vm: VmAnswer


StartedOk = make_ok(
    "StartedOk",
    list[str],
    min_length=1,
    description="Ids of the instances.",
    examples=[["c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce", "e74dfc0e-dc94-4ca2-575e-3219ac08ffa2"]],
)
VmListOk = make_ok("VmListOk", list[ElementAnswer])
OneVmOk = make_ok("OneVmOk", VmAnswer)


def state(obj: AnkaInstance) -> Phase:
    """An object that is being deleted is Terminating, whatever its VM is still doing. One that goes from Mac to Mac
    is Pulling, until it is Started: clients give up at a second pull (docs/reference/legacy-api.md#second-pull)."""
    phase = obj.status.phase
    if obj.metadata.deletion_timestamp is not None and phase is not Phase.TERMINATED:
        return Phase.TERMINATING
    if phase is Phase.SCHEDULING and (obj.status.refusals or obj.status.rescheduled_at is not None):
        return Phase.PULLING
    return phase


def element_answer(vm: VmAnswer) -> ElementAnswer:
    return ElementAnswer.model_construct(
        instance_id=vm.instance_id, external_id=vm.external_id or None, name=vm.name or None, vm=vm
    )


def vm_answer(
    obj: AnkaInstance, id_: str, registry: str, terminated_at: datetime | None = None, *, ids: Catalog | None = None
) -> VmAnswer:
    """The `vm` object. `registry` is our registry's URL, until the scheduler has recorded the instance's own.

    `ids`: for an object that names its template or group as people do. `terminated_at`: when the object disappeared;
    such an instance is shown as Terminated for a while.
    """
    spec, status = obj.spec, obj.status
    template = status.template
    network = spec.network
    # Only of a monitored script that has ended.
    wanted, script = spec.startup_script, status.startup_script
    phase = Phase.TERMINATED if terminated_at else state(obj)
    return VmAnswer.model_construct(
        instance_id=id_,
        instance_state=phase,
        message=status.message or "",
        anka_registry=status.registry or registry,
        vmid=template.id if template else spec.template if ids is None else template_id(spec.template, ids),
        tag=(template.tag if template else None) or spec.tag or "",
        version=(template.version if template else None) or spec.version or 0,
        vminfo=_vm_info(_ended(status.vm) if phase is Phase.TERMINATED else status.vm, status.node_name)
        if status.vm
        else None,
        node_id=status.node_name or "",
        inflight_reqid=status.request_id or "",
        ts=rfc3339(terminated_at or status.updated_at or _last_known_change(obj)),
        cr_time=rfc3339(obj.metadata.creation_timestamp or _last_known_change(obj)),
        progress=(status.progress_percent or 0) / 100,
        group_id=(spec.group if ids is None or spec.group is None else group_id(spec.group, ids)) or "",
        group=spec.permission_group or "",
        name=spec.display_name or "",
        external_id=spec.external_id or "",
        metadata=spec.metadata or {},
        # Capital letters, as in requests: clients compare the text.
        mac_address=(
            status.mac_address
            or (status.vm.mac_address if status.vm else None)
            or (network.mac_address if network else None)
            or ""
        ).upper(),
        arch=status.arch,
        vlan=status.vlan or (network.vlan if network else None) or "",
        usb_device=status.usb_device or spec.usb_device or "",
        startup_script=ScriptAnswer.of(script) if script and wanted and wanted.monitoring else None,
    )


def _ended(info: VmInfo) -> VmInfo:
    """The VM of an instance that is gone: nothing of it runs or listens any more."""
    return info.model_copy(update={**dict.fromkeys(VM_ADDRESSES), "status": VM_DELETED})


def _vm_info(info: VmInfo, node: str | None) -> VmInfoAnswer | None:
    """None unless the VM has what clients read first: uuid and status."""
    if not info.uuid or not info.status:
        return None
    ports = [PortAnswer.of(port, protocol=port.protocol or "tcp") for port in info.port_forwarding or ()]
    return VmInfoAnswer.of(info, node_id=node or "", port_forwarding=ports)


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
