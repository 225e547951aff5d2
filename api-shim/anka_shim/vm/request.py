"""Requests about instances: to start, update, terminate and restart them. One line of a model is one parameter: what it
takes, where it goes in AnkaInstance.spec, and what the documentation says about it. Pure.

Source: docs/reference/legacy-api.md#start-vm, docs/reference/legacy-api.md#no-such-tag and
docs/reference/legacy-api.md#numbers-as-strings.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from anka_crds.api.defaults import PORT_PROTOCOL, PRIORITY, STARTUP_SCRIPT_TIMEOUT_SECONDS
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.limits import HIGHEST_PRIORITY, LOWEST_PRIORITY, MAX_LABEL
from anka_crds.api.meta import FINALIZER, GROUP
from anka_crds.api.states import Phase
from anka_shim.catalog import Catalog, check_version, choose_version, find_group, find_node, find_template
from anka_shim.failure import Failure, refuse
from anka_shim.http.parameter_types import (
    CAPITALS,
    POSITIVE,
    TEXT,
    Base64,
    Capitals,
    Digits,
    Flag,
    Integer,
    LongText,
    Metadata,
    Positive,
    Secret,
    Text,
    Title,
    Vlan,
    choice,
    max_length,
    read_object,
    require,
    wrong_value,
)
from anka_shim.http.request import RequestModel, SpecPath, option, parameter, spec_values, to_object, validate_spec
from anka_shim.times import rfc3339

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
RESTARTABLE = (Phase.STARTED, Phase.STOPPED)


class PortRule(RequestModel):
    name: Annotated[str, SpecPath("name"), require("is required"), TEXT] = Field(
        description="Name of the rule.", examples=["web"]
    )
    guest_port: Annotated[int, SpecPath("guestPort"), require("is required"), POSITIVE] = Field(
        description="Port inside the VM.", examples=["80"]
    )
    host_port: Positive = parameter("hostPort", "Port on the Mac; 10000 and up if absent.")
    host_ip: Text = parameter("hostIp", "Address of the Mac to listen on.")
    protocol: Text = parameter("protocol", "tcp or udp; tcp if absent.")


def _read_rules(value: object) -> object:
    if value in (None, "", []):
        return None
    if not isinstance(value, list):
        raise wrong_value("must be an array of rules", value)
    return value


def _check_rules(rules: list[PortRule]) -> list[PortRule]:
    """The first rule that the rules before it exclude: by its name, or its port on the Mac."""
    for position, rule in enumerate(rules):
        before = rules[:position]
        if any(other.name == rule.name for other in before):
            raise wrong_value("is used twice", rule.name, place=f"[{position}].name")
        if rule.host_port is not None and any(_is_same_port(rule, other) for other in before):
            raise wrong_value("is used twice", rule.host_port, place=f"[{position}].host_port")
    return rules


def _is_same_port(one: PortRule, other: PortRule) -> bool:
    """As AnkaInstance has it: without an address a rule listens on all of them."""
    ports = (one.host_port, one.protocol or PORT_PROTOCOL) == (other.host_port, other.protocol or PORT_PROTOCOL)
    return ports and (one.host_ip is None or other.host_ip is None or one.host_ip == other.host_ip)


PortRules = Annotated[list[PortRule], AfterValidator(_check_rules)]


class DiskSize(RequestModel):
    size: Annotated[str, SpecPath("size"), require("is required: a number followed by T, G, M or K"), CAPITALS] = Field(
        description="Target size: a number followed by T, G, M or K.", examples=["256G"]
    )
    skip_container_resize: Flag = parameter("skipContainerResize", "Leave the APFS container as it is.")


class StartVm(RequestModel):
    """null, an empty string and, for numbers, 0 mean the default. Unknown fields are ignored."""

    # In this order, the message is about the first wrong one.
    count: Positive = option("How many to start; 1 if absent.")
    vmid: Annotated[
        str, SpecPath("template"), require("is required, the UUID of the template to start"), max_length(MAX_LABEL)
    ] = Field(description="UUID of the template; its name is taken too.")
    tag: Text = parameter("tag", "Tag; the latest if absent. Unknown: FAIL `No such tag <tag>`.")
    version: Integer = parameter("version", "Version number instead of a tag.")
    name: Text = parameter("displayName", "Name of the instance; need not be unique.")
    external_id: Text = parameter("externalId", "Any text to keep with the instance.")
    node_id: Text = parameter("node", "Start on this node and no other.")
    startup_script: Base64 = parameter("startupScript.content", "Script to run in the VM, base64.")
    startup_script_condition: Annotated[str | None, choice("NetworkUp", "Booted")] = parameter(
        "startupScript.condition", "0: once the network is up. 1: as soon as the VM has booted."
    )
    script_monitoring: Flag = parameter("startupScript.monitoring", "Wait for the script; state Error if it fails.")
    script_timeout: Positive = parameter(
        "startupScript.timeoutSeconds", f"Seconds; {STARTUP_SCRIPT_TIMEOUT_SECONDS} if absent."
    )
    script_fail_handler: Annotated[str | None, choice("Stop", "Keep", "Delete")] = parameter(
        "startupScript.failHandler", "VM of a failed script: 0 is stopped, 1 kept, 2 deleted."
    )
    name_template: Text = parameter(
        "nameTemplate", "Name of the VM, with $template_name, $template_id, $instance_id, $node_id, $node_name, $ts."
    )
    group: Text = parameter("permissionGroup", "Permission group.")
    group_id: Text = parameter("group", "Node group, by id or name.")
    priority: Positive = parameter(
        "priority", f"{HIGHEST_PRIORITY}-{LOWEST_PRIORITY}, lower is more urgent; {PRIORITY} if absent."
    )
    usb_device: Digits = parameter("usbDevice", "USB device to attach: group name or location id.")
    vcpu: Positive = parameter("resources.vcpu", "CPU cores instead of the template's.")
    vram: Positive = parameter("resources.memoryMib", "RAM in MB instead of the template's.")
    metadata: Metadata = parameter("metadata", "Key-value pairs to keep.")
    mac_address: Capitals = parameter(
        "network.macAddress", "Instead of the template's.", examples=["00:1A:2B:3C:4D:5E"]
    )
    vlan_tag: Vlan = parameter("network.vlan", "VLAN id, 1-4094.")
    video_controller: Text = parameter("hardware.videoController", "fbuf or pg (Intel).")
    hvapic: Text = parameter("hardware.hvapic", "forceOn or forceOff (Intel).")
    csr_active_config: Text = parameter("hardware.csrActiveConfig", "forceOn (Intel).")
    network_local: Text = parameter("network.local", "forceOn or forceOff.")
    network_mode: Text = parameter("network.mode", "shared, bridge, host or disconnected.")
    hw_serial: Text = parameter("hardware.serial", "hw.serial (Intel).")
    hw_uuid: Text = parameter("hardware.uuid", "hw.uuid (Intel).")
    port_forwarding_override: Annotated[PortRules | None, BeforeValidator(_read_rules)] = parameter(
        "portForwarding", "Only these rules are made; the template's are left out."
    )
    disk: Annotated[DiskSize | None, BeforeValidator(read_object)] = parameter(
        "disk", "Size instead of the template's."
    )
    vnc_password: Secret = parameter("vncPassword", "VNC password (Intel).", secret=True)


@dataclass(frozen=True)
class StartOptions:
    """What a client asks for. The template, node and group are still as the client named them; node and group are
    beside the spec, because a name need not be an object's name. `resolve` turns them into ids."""

    count: int
    spec: AnkaInstanceSpec
    node: str | None = None
    group: str | None = None


def read_start(request: StartVm, *, max_count: int) -> StartOptions:
    """Raises a Failure with one clear message that names the parameter."""
    count = request.count or 1
    if count > max_count:
        raise refuse("count", f"must be from 1 to {max_count}", count)
    tree = spec_values(request)
    # Only a script can be monitored: without one, its parameters mean nothing.
    if request.startup_script is None:
        tree.pop("startupScript", None)
    if choose_version(request.tag, request.version) is None:
        tree.pop("version", None)
    node, group = tree.pop("node", None), tree.pop("group", None)
    # Of an unknown template or tag, however it looks, clients expect to be told in words that they know: `resolve`.
    named = {"template": tree.pop("template"), "tag": tree.pop("tag", None)}
    spec = validate_spec(StartVm, AnkaInstanceSpec, {**tree, "template": "t"})
    return StartOptions(count, spec.model_copy(update=named), node, group)


def resolve(start: StartOptions, catalog: Catalog) -> AnkaInstanceSpec:
    """The spec with ids instead of names. Raises Failure with the exact texts that clients match."""
    template = find_template(start.spec.template, catalog, "vmid")
    check_version(start.spec.tag, start.spec.version, template)
    changes: dict[str, str] = {"template": template.metadata.name}
    if start.node is not None:
        changes["node"] = find_node(start.node, catalog, "node_id").metadata.name
    if start.group is not None:
        changes["group"] = find_group(start.group, catalog, "group_id").metadata.name
    return start.spec.model_copy(update=changes)


def instance_manifest(
    id_: str, namespace: str, spec: AnkaInstanceSpec, annotations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """`id_` is a new UUID, which becomes the object's name and so the instance_id. The finalizer is in the body:
    adding it later would cost a second write."""
    metadata: dict[str, Any] = {"name": id_, "namespace": namespace, "labels": labels(spec), "finalizers": [FINALIZER]}
    return to_object("AnkaInstance", {**metadata, "annotations": dict(annotations)} if annotations else metadata, spec)


def labels(spec: AnkaInstanceSpec) -> dict[str, str]:
    """For `kubectl get -l`. Text that can't be a label value is left out: the spec has it anyway."""
    wanted = {
        "app.kubernetes.io/created-by": "anka-shim",
        f"{GROUP}/template": spec.template,
        f"{GROUP}/tag": spec.tag,
        f"{GROUP}/group": spec.group,
    }
    return {key: value for key, value in wanted.items() if value is not None and _LABEL_VALUE.fullmatch(value)}


class InstanceTarget(RequestModel):
    """Which instance a request is about."""

    id: Text = option("Id of the instance, if not in the query.")
    instance_id: Text = option("Another spelling of id.")


class UpdateVm(InstanceTarget):
    """Only what is given changes."""

    name: Title = parameter("displayName", "Name of the instance; need not be unique.")
    external_id: LongText = parameter("externalId", "Any text to keep with the instance.")
    metadata: Metadata = parameter("metadata", "Key-value pairs, added to those that are there.")


class TerminateVm(InstanceTarget):
    pass


class RestartOptions(RequestModel):
    """What a restart may change. Anything not given stays."""

    vnc_password: Secret = parameter("vncPassword", "New VNC password (Intel).", secret=True)
    usb_device: Digits = parameter("usbDevice", "USB device to attach instead of the present one.")


class RestartVm(InstanceTarget, RestartOptions):
    pass


def restart_patch(state: Phase, now: datetime, options: RestartOptions) -> dict[str, Any]:
    """A merge patch of AnkaInstance.spec. The agent restarts the VM for a time that it has not seen yet. Raises Failure
    for a VM that was not started, or is about to go: it would be restarted by surprise, or never."""
    if state not in RESTARTABLE:
        raise Failure(not_restartable(state))
    given = spec_values(options)
    validate_spec(RestartOptions, AnkaInstanceSpec, {"template": "t", **given})
    changes: dict[str, Any] = {"restartedAt": rfc3339(now), **given}
    if "vncPassword" in given:
        # Only one of the two may be there, and the new one counts.
        changes["vncPasswordSecretRef"] = None
    return changes


def not_restartable(state: Phase) -> str:
    return f"the VM can't be restarted: it is {state}, and must be {' or '.join(RESTARTABLE)}"
