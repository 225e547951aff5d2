"""The JSON bodies of `anka list`, `anka show` and `anka describe`. Pure."""

from __future__ import annotations

from anka_sim.mac.errors import USAGE, SimulatedAnkaError
from anka_sim.mac.records import NEVER, arch_number, mac_address, size_text
from anka_sim.mac.settings import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LIST_FIELDS = (
    "name",
    "uuid",
    "creation_date",
    "version",
    "status",
    "access_date",
    "start_date",
    "stop_date",
    "ip",
    "vnc_port",
    "arch",
    "cpu_cores",
    "ram",
    "image_size",
)


def _ip(vm: dict[str, Any], now: float) -> str:
    """The guest has an address once its network is up."""
    return vm["ip"] if vm["status"] == "running" and vm["network_at"] <= now else ""


def _mac(vm: dict[str, Any]) -> str:
    fixed = vm["network"]["mac"]
    return mac_address(vm["uuid"]) if fixed == "auto" else fixed


def row(vm: dict[str, Any]) -> dict[str, Any]:
    """One element of `list`; `version` is the tag and is absent when there is none."""
    body = {"name": vm["name"], "uuid": vm["uuid"], "creation_date": vm["creation_date"]}
    if vm.get("version"):
        body["version"] = vm["version"]
    body["status"] = vm["status"]
    if vm.get("stop_date") and vm["status"] != "running":
        body["stop_date"] = vm["stop_date"]
    return body


def select_fields(vm: dict[str, Any], fields: list[str], now: float) -> dict[str, Any] | None:
    """One element of `list --field`: the named fields; None when a `field=value` filter does not match."""
    everything = {
        **row(vm),
        "access_date": vm["access_date"],
        "start_date": vm.get("start_date", NEVER),
        "stop_date": vm.get("stop_date", NEVER),
        "ip": _ip(vm, now),
        "vnc_port": vm.get("vnc_port", 0),
        "arch": arch_number(vm),
        "cpu_cores": vm["cpu_cores"],
        "ram": size_text(vm["ram_bytes"]),
        "image_size": vm["image_size"],
    }
    body = {}
    for field in fields:
        name, filtered, wanted = field.partition("=")
        if name not in LIST_FIELDS:
            raise SimulatedAnkaError(f"list: unknown field {name}; known are {', '.join(LIST_FIELDS)}", USAGE)
        value = everything.get(name, "")
        if filtered and str(value) != wanted:
            return None
        body[name] = value
    return body


def rules(vm: dict[str, Any]) -> list[dict[str, Any]]:
    """Port forwarding rules as configured; a host port appears once it is fixed."""
    shown = []
    for rule in vm["rules"]:
        body = {"name": rule["name"], "protocol": rule["protocol"], "guest_port": rule["guest_port"]}
        if rule["host_port"]:
            body["host_port"] = rule["host_port"]
        if rule["host_ip"]:
            body["host_ip"] = rule["host_ip"]
        shown.append(body)
    return shown


def show(vm: dict[str, Any], now: float) -> dict[str, Any]:
    """The body of `show`, with the live part when the VM runs."""
    body: dict[str, Any] = {
        "uuid": vm["uuid"],
        "name": vm["name"],
        "creation_date": vm["creation_date"],
        "cpu_cores": vm["cpu_cores"],
        "cpu_frequency": 0,
        "cpu_htt": False,
        "arch": arch_number(vm),
        "ram": size_text(vm["ram_bytes"]),
        "ram_size": vm["ram_bytes"],
        "frame_buffers": vm["display"]["count"],
        "hard_drive": vm["hard_drive"],
        "encrypted": False,
        "image_size": vm["image_size"],
        "addons_version": VERSION,
        "status": vm["status"],
        "access_date": vm["access_date"],
    }
    if vm.get("version"):
        body["version"] = vm["version"]
    if vm["description"]:
        body["description"] = vm["description"]
    for key in ("start_date", "stop_date"):
        if vm.get(key) and (key == "start_date" or vm["status"] != "running"):
            body[key] = vm[key]
    if vm["status"] == "running":
        body.update(_live(vm, now))
    return body


def _live(vm: dict[str, Any], now: float) -> dict[str, Any]:
    password = vm.get("vnc_password", "admin")
    body = {
        "mac": _mac(vm),
        "hostif": vm["hostif"],
        "pid": vm["pid"],
        "vnc_port": vm["vnc_port"],
        "vnc_connection_string": f"vnc://:{password}@{vm.get('host_ip', '127.0.0.1')}:{vm['vnc_port']}",
        "vnc_password": password,
        "port_forwarding": vm["ports"],
        "usb": vm["usb"],
        "displays": vm["display"]["count"],
        "time_sync": True,
        "cpu_user": 1,
        "cpu_system": 1,
        "cpu_idle": 98,
        "cpu_nice": 0,
    }
    if ip := _ip(vm, now):
        body["ip"] = ip
    return body


def usb_location(device: dict[str, Any]) -> str:
    """Where the device is plugged in, which is what it is known by: two of one kind have the same name."""
    return str(device.get("location") or device.get("id") or device["name"])


def usb_names(device: dict[str, Any]) -> tuple[object, ...]:
    """All names by which a device can be requested."""
    group = device.get("claim_name") or device.get("group")
    return tuple(device[key] for key in ("name", "id", "location") if device.get(key)) + ((group,) if group else ())


def part(vm: dict[str, Any], name: str, now: float) -> Any:
    """The body of `show VM PART`."""
    network = vm["network"]
    views: dict[str, Any] = {
        "tag": [{"tag": tag["tag"], "number": tag["number"], "size": tag["size"]} for tag in vm["tags"]],
        "network": {
            "mode": network["mode"],
            "controller": network["controller"],
            "local": network["local"],
            "mac_address": _mac(vm),
            **({"vlan": network["vlan"]} if network["vlan"] else {}),
            **({"ip": _ip(vm, now)} if _ip(vm, now) else {}),
            "port_forwarding_rules": rules(vm),
        },
        "disk": {"controller": "virtio-blk", "size": vm["hard_drive"], "data_size": vm["image_size"]},
        "ram": {"size": vm["ram_bytes"]},
        "cpu": {"cores": vm["cpu_cores"], "arch": arch_number(vm)},
        "port": vm["ports"] if vm["status"] == "running" else rules(vm),
        "uuid": vm["uuid"],
        "name": vm["name"],
        "status": vm["status"],
        "ip": _ip(vm, now),
        "description": vm["description"],
        "label": vm["labels"],
        "mount": vm["mounts"],
        "display": vm["display"],
        "usb": vm["usb"],
        "custom-variable": vm["custom"],
    }
    if name not in views:
        raise SimulatedAnkaError(f"show: unknown property {name}; known are {', '.join(views)}", USAGE)
    return views[name]


def describe(vm: dict[str, Any]) -> dict[str, Any]:
    """The body of `describe`: the configuration, never the live state."""
    return {
        "name": vm["name"],
        "uuid": vm["uuid"],
        "version": 3,
        "arch": arch_number(vm),
        "cpu": {"cores": vm["cpu_cores"]},
        "ram": size_text(vm["ram_bytes"]),
        "hard_drives": [{"controller": "virtio-blk", "size": vm["hard_drive"], "file": f"{vm['uuid']}.ank"}],
        "network_cards": [
            {
                "mode": vm["network"]["mode"],
                "controller": vm["network"]["controller"],
                "vlan": vm["network"]["vlan"],
                "mac_address": _mac(vm),
                "port_forwarding_rules": [
                    {
                        "guest_port": rule["guest_port"],
                        "host_port": rule["host_port"],
                        "rule_name": rule["name"],
                        "protocol": rule["protocol"],
                        "host_ip": rule["host_ip"],
                    }
                    for rule in vm["rules"]
                ],
            }
        ],
        "display": vm["display"],
        "custom_variables": vm["custom"],
    }
