"""What the agent writes into the status of an instance, as JSON merge patches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from anka_agent.anka.vm import Vm
from anka_agent.plan.situation import Failure
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.phase import Phase
from anka_crds.api.vm_info import ForwardedPort, ScriptResult, VmInfo
from anka_crds.core.conditions import observed, summarised
from anka_crds.core.lifecycle import HEALTH

MESSAGE_LIMIT = 1024
OUTPUT_LIMIT = 65536
VOLATILE = frozenset({"timestamp", "accessDate", "updatedAt"})
"""Fields that change without anything having changed: never a reason to write."""

Status = dict[str, Any]


def vm_info(vm: Vm, host_ip: str | None) -> VmInfo:
    """`vminfo` of the seed document. The VNC password never leaves the Mac."""
    return VmInfo(
        uuid=vm.uuid,
        name=vm.name,
        status=vm.status,
        version=vm.version,
        creation_date=vm.creation_date,
        access_date=vm.access_date,
        start_date=vm.start_date,
        stop_date=vm.stop_date,
        cpu_cores=vm.cpu_cores,
        ram=vm.ram,
        host_ip=host_ip,
        ip=vm.ip,
        mac_address=vm.mac,
        vnc_port=vm.vnc_port,
        vnc_connection_string=without_password(vm.vnc_connection_string, host_ip),
        port_forwarding=[
            ForwardedPort(name=port.name, guest_port=port.guest_port, host_port=port.host_port, protocol=port.protocol)
            for port in vm.ports[:64]
        ]
        or None,
    )


def without_password(url: str | None, host_ip: str | None) -> str | None:
    """`vnc://:admin@192.168.1.2:5900` without user and password, with the address at which the Mac is reached."""
    if not url:
        return None
    match = re.fullmatch(r"(\w+://)(?:.*@)?(.*?)(:\d+)?/?", url)
    if match is None:
        return None
    scheme, host, port = match.groups()
    return f"{scheme}{host_ip or host}{port or ''}"


def started(
    instance: AnkaInstance,
    vm: Vm,
    *,
    host_ip: str | None,
    now: datetime,
    script: ScriptResult | None = None,
    restarted_at: datetime | None = None,
) -> Status:
    """The VM runs and can be used."""
    restarted = restarted_at or instance.status.restarted_at
    return {
        **_common(instance, Phase.STARTED, "Started", "The VM is running", now),
        "message": None,
        "progressPercent": None,
        "vm": _whole(vm_info(vm, host_ip), now),
        "macAddress": vm.mac,
        "startedAt": _text(instance.status.started_at or now),
        "finishedAt": None,
        **({"startupScript": script.to_api()} if script is not None else {}),
        **({"restartedAt": _text(restarted)} if restarted is not None else {}),
        **({"arch": vm.arch} if vm.arch is not None else {}),
        **_extras(instance),
    }


def stopped(instance: AnkaInstance, vm: Vm, *, host_ip: str | None, now: datetime) -> Status:
    """The VM ended by itself, or somebody stopped it on the Mac."""
    message = f"The VM went {vm.status} by itself, or was stopped on the Mac"
    return {
        **_common(instance, Phase.STOPPED, "VmStopped", message, now),
        "message": message,
        "vm": _whole(vm_info(vm, host_ip), now),
        "finishedAt": _text(now),
    }


def failed(
    instance: AnkaInstance,
    failure: Failure,
    vm: Vm | None,
    *,
    host_ip: str | None,
    now: datetime,
    script: ScriptResult | None = None,
) -> Status:
    """The instance cannot go on. What was known of its VM stays visible."""
    message = bounded(failure.message)
    return {
        **vm_part(instance, vm, host_ip=host_ip, now=now),
        **_common(instance, Phase.ERROR, failure.reason, message, now),
        "message": message,
        "progressPercent": None,
        "finishedAt": _text(now),
        **({"startupScript": script.to_api()} if script is not None else {}),
    }


def vm_part(instance: AnkaInstance, vm: Vm | None, *, host_ip: str | None, now: datetime) -> Status:
    """The VM alone, in whatever phase the instance is, and that the spec as it is now has been seen.

    A VM that is gone keeps what was known, marked deleted."""
    status: Status = _seen(instance)
    if vm is not None:
        status["vm"] = _whole(vm_info(vm, host_ip), now)
    elif instance.status.vm is not None:
        status["vm"] = {"status": "deleted"}
    return {**status, "updatedAt": _text(now)} if status else {}


def pulling(instance: AnkaInstance, percent: int, now: datetime) -> Status:
    message = f"Pulling the template: {percent} %"
    return {
        **_common(instance, Phase.PULLING, "Pulling", message, now),
        "progressPercent": max(0, min(100, percent)),
    }


def pushing(instance: AnkaInstance, message: str, now: datetime) -> Status:
    """The VM is being saved to the registry: it is not to be used meanwhile."""
    return _common(instance, Phase.PUSHING, "Pushing", bounded(message), now)


def terminating(instance: AnkaInstance, message: str, now: datetime) -> Status:
    return {
        **_common(instance, Phase.TERMINATING, "Terminating", bounded(message), now),
        "message": bounded(message),
        "progressPercent": None,
    }


def differs(instance: AnkaInstance, vm: Vm | None) -> bool:
    """Whether the API shows the VM in another state than it is in, or an older spec than there is.

    Nobody has to do anything for a new displayName, but kubectl wait, Flux and Argo CD wait until it was seen."""
    if not _up_to_date(instance):
        return True
    known = instance.status.vm
    if vm is None:
        return known is not None and known.status != "deleted"
    if known is None:
        return True
    if (known.uuid, known.status) != (vm.uuid, vm.status):
        return True
    return vm.running and vm.start_date is not None and known.start_date != vm.start_date


def changes(current: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
    """Whether this merge patch would change anything worth a write."""
    for key, value in patch.items():
        if key in VOLATILE:
            continue
        old = current.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if changes(old, value):
                return True
        elif value != old:
            return True
    return False


def bounded(text: str, limit: int = MESSAGE_LIMIT) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _common(instance: AnkaInstance, phase: Phase, reason: str, message: str, now: datetime) -> Status:
    generation = instance.metadata.generation
    conditions = summarised(instance.status.conditions, HEALTH[phase], reason, message, generation=generation, now=now)
    return {
        "phase": phase.value,
        "observedGeneration": generation,
        "updatedAt": _text(now),
        "conditions": [condition.to_api() for condition in conditions],
    }


def _up_to_date(instance: AnkaInstance) -> bool:
    return instance.status.observed_generation == instance.metadata.generation


def _seen(instance: AnkaInstance) -> Status:
    if _up_to_date(instance):
        return {}
    generation = instance.metadata.generation
    return {
        "observedGeneration": generation,
        "conditions": [condition.to_api() for condition in observed(instance.status.conditions, generation)],
    }


def _extras(instance: AnkaInstance) -> Status:
    network = instance.spec.network
    return {"vlan": network.vlan} if network is not None and network.vlan else {}


def _whole(info: VmInfo, now: datetime) -> dict[str, Any]:
    """The VM's fields with a null for each that is not there: a merge must not leave an old address behind."""
    info = info.model_copy(update={"timestamp": now.replace(microsecond=0)})
    full = info.model_dump(mode="json", by_alias=True)
    ports = full.get("portForwarding")
    if ports:
        full["portForwarding"] = [{key: value for key, value in port.items() if value is not None} for port in ports]
    return full


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
