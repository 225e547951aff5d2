"""What the agent writes into the status of an instance, as JSON merge patches."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic.alias_generators import to_camel

from anka_agent.anka.vm import Vm
from anka_agent.plan.situation import InstanceFailure
from anka_crds.api.conditions import InstanceReason
from anka_crds.api.instance import AnkaInstance, Refusal
from anka_crds.api.limits import MAX_PORT_RULES, OUTPUT_BYTES, PORTS_BYTES, SCRIPT_ERROR_BYTES
from anka_crds.api.states import Phase
from anka_crds.api.vm_info import VM_ADDRESSES, VM_DELETED, ForwardedPort, ScriptResult, VmInfo
from anka_crds.rules.condition_list import with_generation, with_health
from anka_crds.rules.fitting import shorten_texts, take_fitting
from anka_crds.rules.lifecycle import HEALTH
from anka_crds.rules.text import format_time, shorten, shorten_bytes
from anka_runtime.addresses import bracket_host

MESSAGE_LIMIT = 1024
VOLATILE = frozenset({"timestamp", "accessDate", "updatedAt"})
"""Fields that change even though nothing else has: never a reason to write."""

_ADDRESS_KEYS = tuple(to_camel(name) for name in VM_ADDRESSES)

Status = dict[str, Any]


def vm_info(vm: Vm, host_ip: str | None) -> VmInfo:
    """What clients see of the VM. The VNC password never leaves the Mac."""
    ports = (
        ForwardedPort(
            **shorten_texts(
                name=port.name, guest_port=port.guest_port, host_port=port.host_port, protocol=port.protocol
            )
        )
        for port in vm.ports
    )
    texts = shorten_texts(
        uuid=vm.uuid,
        name=vm.name,
        status=vm.status,
        version=vm.version,
        ram=vm.ram,
        ip=vm.ip,
        mac_address=vm.mac,
        vnc_connection_string=strip_password(vm.vnc_connection_string, host_ip),
    )
    return VmInfo(
        **texts,
        creation_date=vm.creation_date,
        access_date=vm.access_date,
        start_date=vm.start_date,
        stop_date=vm.stop_date,
        cpu_cores=vm.cpu_cores,
        host_ip=host_ip,
        vnc_port=vm.vnc_port,
        port_forwarding=take_fitting(ports, MAX_PORT_RULES, PORTS_BYTES) or None,
    )


def strip_password(url: str | None, host_ip: str | None) -> str | None:
    """`vnc://:admin@192.168.1.2:5900` without user and password, with the address at which the Mac is reached."""
    if not url:
        return None
    match = re.fullmatch(r"(\w+://)(?:.*@)?(.*?)(:\d+)?/?", url)
    if match is None:
        return None
    scheme, host, port = match.groups()
    return f"{scheme}{bracket_host(host_ip or host)}{port or ''}"


def to_started(
    instance: AnkaInstance,
    vm: Vm,
    *,
    host_ip: str | None,
    now: datetime,
    script: ScriptResult | None = None,
    restarted_at: datetime | None = None,
    doubt: str | None = None,
) -> Status:
    """The VM runs and can be used. `doubt`: why it may not be made from what the registry has."""
    message = shorten(f"The VM is running; {doubt}", MESSAGE_LIMIT) if doubt else "The VM is running"
    restarted, network = restarted_at or instance.status.restarted_at, instance.spec.network
    return {
        **_base(instance, Phase.STARTED, InstanceReason.STARTED, message, now),
        "message": None,
        "progressPercent": None,
        "vm": _with_nulls(vm_info(vm, host_ip), now),
        # What the operator chose stays known, whatever this anka tells.
        **shorten_texts(macAddress=vm.mac or instance.status.mac_address),
        "startedAt": format_time(instance.status.started_at or now),
        "finishedAt": None,
        **({"startupScript": to_script_status(script)} if script is not None else {}),
        **({"restartedAt": format_time(restarted)} if restarted is not None else {}),
        **({"arch": vm.arch} if vm.arch is not None else {}),
        **({"vlan": network.vlan} if network is not None and network.vlan else {}),
    }


def to_script_status(script: ScriptResult) -> Status:
    """With as much of the output as the status has room for: etcd may take six bytes for one character."""
    cut: Status = {
        name: shorten_bytes(getattr(script, name), OUTPUT_BYTES, keep_end=True) for name in ("stdout", "stderr")
    }
    if script.errors:
        cut["errors"] = [shorten_bytes(line, SCRIPT_ERROR_BYTES) for line in script.errors]
    return script.model_copy(update=cut).to_api()


def without_output(status: Status) -> Status:
    """The object has no room for what its script printed."""
    script = status["startupScript"]
    told = {"stdout": "", "stderr": "", "errors": ["the output is left out: the object has no room for it"]}
    return {**status, "startupScript": {**script, **told}}


def to_unwritten(instance: AnkaInstance, why: str, now: datetime) -> Status:
    """The API refuses what there is to report: the least that it can be told with, in the phase that it has."""
    message = shorten(f"The Kubernetes API refuses the status: {why}", MESSAGE_LIMIT)
    return _base(instance, instance.status.phase, InstanceReason.STATUS_REFUSED, message, now)


def to_stopped(instance: AnkaInstance, vm: Vm, *, host_ip: str | None, now: datetime) -> Status:
    """The VM ended by itself, or was stopped on the Mac."""
    message = f"The VM went {vm.status} by itself, or was stopped on the Mac"
    return {
        **_base(instance, Phase.STOPPED, InstanceReason.VM_STOPPED, message, now),
        "message": message,
        "vm": _with_nulls(vm_info(vm, host_ip), now),
        "finishedAt": format_time(now),
    }


def to_failed(
    instance: AnkaInstance,
    failure: InstanceFailure,
    vm: Vm | None,
    *,
    host_ip: str | None,
    now: datetime,
    script: ScriptResult | None = None,
) -> Status:
    """The instance has failed. What was known of its VM stays visible."""
    message = shorten(failure.message, MESSAGE_LIMIT)
    return {
        **to_vm_update(instance, vm, host_ip=host_ip, now=now),
        **_base(instance, Phase.ERROR, failure.reason, message, now),
        "message": message,
        "progressPercent": None,
        "finishedAt": format_time(now),
        **({"startupScript": to_script_status(script)} if script is not None else {}),
    }


def to_refused(instance: AnkaInstance, failure: InstanceFailure, now: datetime) -> Status:
    """This Mac could not start it, and nothing of it is left here. The operator finds another Mac, or ends it."""
    message = shorten(failure.message, MESSAGE_LIMIT)
    refusal = Refusal(node_name=instance.status.node_name or "", reason=failure.reason, message=message)
    told = f"{refusal.node_name} could not start it: {message}"
    return {
        **_base(instance, Phase.SCHEDULING, failure.reason, shorten(told, MESSAGE_LIMIT), now),
        "progressPercent": None,
        "vm": None,
        "refusals": [one.to_api() for one in (*(instance.status.refusals or ()), refusal)],
    }


def to_vm_update(instance: AnkaInstance, vm: Vm | None, *, host_ip: str | None, now: datetime) -> Status:
    """The VM alone, in any phase of the instance, and that this generation of the spec was observed.

    A VM that no longer exists keeps what was known, marked deleted and without addresses."""
    status: Status = _confirm_generation(instance)
    if vm is not None:
        status["vm"] = _with_nulls(vm_info(vm, host_ip), now)
    elif instance.status.vm is not None:
        status["vm"] = {**dict.fromkeys(_ADDRESS_KEYS), "status": VM_DELETED}
    return {**status, "updatedAt": format_time(now)} if status else {}


def to_pulling(instance: AnkaInstance, percent: int, now: datetime) -> Status:
    message = f"Pulling the template: {percent} %"
    return {
        **_base(instance, Phase.PULLING, InstanceReason.PULLING, message, now),
        "progressPercent": max(0, min(100, percent)),
    }


def to_pushing(instance: AnkaInstance, message: str, now: datetime) -> Status:
    """The VM is being saved to the registry and must not be used meanwhile."""
    return _base(instance, Phase.PUSHING, InstanceReason.PUSHING, shorten(message, MESSAGE_LIMIT), now)


def to_terminating(instance: AnkaInstance, message: str, now: datetime) -> Status:
    return {
        **_base(instance, Phase.TERMINATING, InstanceReason.TERMINATING, shorten(message, MESSAGE_LIMIT), now),
        "message": shorten(message, MESSAGE_LIMIT),
        "progressPercent": None,
    }


def is_outdated(instance: AnkaInstance, vm: Vm | None, host_ip: str | None) -> bool:
    """Whether the status shows the VM in another state than it is in, or at other addresses, or an older generation of
    the spec.

    A new displayName needs no work, but kubectl wait, Flux and Argo CD wait for its observedGeneration."""
    if not _is_current(instance):
        return True
    known = instance.status.vm
    if vm is None:
        return known is not None and known.status != VM_DELETED
    if known is None:
        return True
    if (known.uuid, known.status) != (vm.uuid, vm.status):
        return True
    # What is not known now, such as the address of a Mac without a network, is no reason to write.
    shown = ((known.start_date, vm.start_date), (known.ip, vm.ip), (known.host_ip, host_ip))
    return vm.running and any(now is not None and now != before for before, now in shown)


def has_changes(current: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
    """Whether this merge patch would change anything worth a write."""
    for key, value in patch.items():
        if key in VOLATILE:
            continue
        old = current.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if has_changes(old, value):
                return True
        elif value != old:
            return True
    return False


def _base(instance: AnkaInstance, phase: Phase, reason: InstanceReason, message: str, now: datetime) -> Status:
    generation = instance.metadata.generation
    conditions = with_health(instance.status.conditions, HEALTH[phase], reason, message, generation=generation, now=now)
    return {
        "phase": phase.value,
        "observedGeneration": generation,
        "updatedAt": format_time(now),
        "conditions": [condition.to_api() for condition in conditions],
    }


def _is_current(instance: AnkaInstance) -> bool:
    return instance.status.observed_generation == instance.metadata.generation


def _confirm_generation(instance: AnkaInstance) -> Status:
    if _is_current(instance):
        return {}
    generation = instance.metadata.generation
    return {
        "observedGeneration": generation,
        "conditions": [condition.to_api() for condition in with_generation(instance.status.conditions, generation)],
    }


def _with_nulls(info: VmInfo, now: datetime) -> dict[str, Any]:
    """The VM's fields, null where there is no value: a merge patch must not leave an old address behind."""
    info = info.model_copy(update={"timestamp": now.replace(microsecond=0)})
    full = info.model_dump(mode="json", by_alias=True)
    ports = full.get("portForwarding")
    if ports:
        full["portForwarding"] = [{key: value for key, value in port.items() if value is not None} for port in ports]
    return full
