"""`POST /api/v1/vm`: the request as an AnkaInstanceSpec. The mapping of all parameters, in one place.

Source: seed document, "Start VM instances"; legacy-clients hazards 5, 10, 15.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from anka_crds.api.instance import AnkaInstanceSpec
from anka_shim.translate import values
from anka_shim.translate.failure import Failure
from anka_shim.translate.values import Json

CONDITIONS = ("NetworkUp", "Booted")
FAIL_HANDLERS = ("Stop", "Keep", "Delete")

PARAMETERS: Mapping[str, str] = {
    "vmid": "template",
    "tag": "tag",
    "version": "version",
    "name": "displayName",
    "external_id": "externalId",
    "node_id": "node",
    "startup_script": "startupScript.content",
    "startup_script_condition": "startupScript.condition",
    "script_monitoring": "startupScript.monitoring",
    "script_timeout": "startupScript.timeoutSeconds",
    "script_fail_handler": "startupScript.failHandler",
    "name_template": "nameTemplate",
    "group": "permissionGroup",
    "group_id": "group",
    "priority": "priority",
    "usb_device": "usbDevice",
    "vcpu": "resources.vcpu",
    "vram": "resources.memoryMib",
    "metadata": "metadata",
    "mac_address": "network.macAddress",
    "vlan_tag": "network.vlan",
    "video_controller": "hardware.videoController",
    "hvapic": "hardware.hvapic",
    "csr_active_config": "hardware.csrActiveConfig",
    "network_local": "network.local",
    "network_mode": "network.mode",
    "hw_serial": "hardware.serial",
    "hw_uuid": "hardware.uuid",
    "port_forwarding_override": "portForwarding",
    "disk": "disk",
    "vnc_password": "vncPassword",
}
"""Parameter of the old API -> path in AnkaInstance.spec. `count` is the only one without a place: it says how many."""

_BY_PATH = {path: name for name, path in PARAMETERS.items()}


@dataclass(frozen=True)
class StartRequest:
    """What the client asked for. The template is still as the client called it; node and group too, beside the spec,
    because a name need not be an object's name. `translate.resolve` makes ids of them."""

    count: int
    spec: AnkaInstanceSpec
    node: str | None = None
    group: str | None = None


def read(data: Json, *, max_count: int) -> StartRequest:
    """Raises Failure with one clear message that names the parameter. Unknown parameters are ignored."""
    count = values.positive(data, "count") or 1
    if count > max_count:
        raise values.wrong("count", f"must be from 1 to {max_count}", count)
    if values.text(data, "vmid") is None:
        raise Failure("vmid: is required, the UUID of the template to start")
    tree: dict[str, Any] = {}
    for name, path in PARAMETERS.items():
        value = _READERS.get(name, values.text)(data, name)
        if value is not None:
            _put(tree, path.split("."), value)
    # Only a script can be monitored: without one its parameters say nothing.
    if "content" not in tree.get("startupScript", {}):
        tree.pop("startupScript", None)
    if "tag" in tree and "version" in tree:
        raise Failure("tag and version exclude each other: give one of them")
    node, group = tree.pop("node", None), tree.pop("group", None)
    return StartRequest(count, _validated(tree), node, group)


def _put(tree: dict[str, Any], path: list[str], value: object) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _validated(tree: dict[str, Any]) -> AnkaInstanceSpec:
    try:
        return AnkaInstanceSpec.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise values.wrong(_parameter(first["loc"]), first["msg"], first["input"]) from None


def _parameter(loc: tuple[int | str, ...]) -> str:
    """The client's word for a field of the spec; what lies below it is added, such as `disk.size`."""
    parts = [str(part) for part in loc]
    for length in range(len(parts), 0, -1):
        name = _BY_PATH.get(".".join(parts[:length]))
        if name is not None:
            below = {"guestPort": "guest_port", "hostPort": "host_port", "hostIp": "host_ip"}
            return ".".join([name, *(below.get(part, part) for part in parts[length:])])
    return ".".join(parts)


def _script(data: Json, name: str) -> str | None:
    content = values.text(data, name)
    if content is None:
        return None
    try:
        packed = "".join(content.split())
        padded = packed + "=" * (-len(packed) % 4)
        base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise values.wrong(name, "must be base64", content) from None
    return padded


def _upper(data: Json, name: str) -> str | None:
    value = values.text(data, name)
    return value.strip().upper() if value else None


def _vlan(data: Json, name: str) -> str | None:
    vlan = values.number(data, name)
    if not vlan:
        return None
    if not 1 <= vlan <= 4094:
        raise values.wrong(name, "must be a number from 1 to 4094", vlan)
    return str(vlan)


def _disk(data: Json, name: str) -> dict[str, Any] | None:
    disk = values.mapping(data, name)
    if not disk:
        return None
    size = values.text(disk, "size")
    if size is None:
        raise Failure(f"{name}.size: is required: a number followed by T, G, M or K")
    result: dict[str, Any] = {"size": size.strip().upper()}
    if values.boolean(disk, "skip_container_resize"):
        result["skipContainerResize"] = True
    return result


def _ports(data: Json, name: str) -> list[dict[str, Any]] | None:
    rules = data.get(name)
    if rules in (None, "", []):
        return None
    if not isinstance(rules, list):
        raise values.wrong(name, "must be an array of rules", rules)
    ports: dict[str, dict[str, Any]] = {}
    for position, rule in enumerate(rules):
        where = f"{name}[{position}]"
        if not isinstance(rule, dict):
            raise values.wrong(where, "must be an object", rule)
        title, guest = values.text(rule, "name"), values.positive(rule, "guest_port")
        if title is None or guest is None:
            raise Failure(f"{where}: needs name and guest_port")
        if title in ports:
            raise values.wrong(where, "name is used twice", title)
        port = {"name": title, "guestPort": guest}
        optional = {
            "hostPort": values.positive(rule, "host_port"),
            "hostIp": values.text(rule, "host_ip"),
            "protocol": values.text(rule, "protocol"),
        }
        ports[title] = {**port, **{key: value for key, value in optional.items() if value is not None}}
    return list(ports.values())


_READERS: Mapping[str, Any] = {
    "version": values.version,
    "startup_script": _script,
    "startup_script_condition": lambda data, name: values.choice(data, name, CONDITIONS),
    "script_monitoring": values.boolean,
    "script_timeout": values.positive,
    "script_fail_handler": lambda data, name: values.choice(data, name, FAIL_HANDLERS),
    "priority": values.positive,
    "vcpu": values.positive,
    "vram": values.positive,
    "metadata": values.metadata,
    "mac_address": _upper,
    "vlan_tag": _vlan,
    "port_forwarding_override": _ports,
    "disk": _disk,
}
