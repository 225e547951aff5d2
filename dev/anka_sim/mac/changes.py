"""Changes of a VM's configuration, each a pure function from record to record. Refusals are `AnkaError`."""

from __future__ import annotations

from anka_sim.mac.errors import EXISTS, USAGE, SimulatedAnkaError, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Change = Callable[[dict[str, Any]], dict[str, Any]]

VLAN_MAX = 4094


def one_of(what: str, value: str, *allowed: str) -> str:
    if value not in allowed:
        raise SimulatedAnkaError(f"{what}: {value!r} is not one of {', '.join(allowed)}", USAGE)
    return value


def cpu(cores: int, host_cores: int) -> Change:
    if not 1 <= cores <= host_cores:
        raise SimulatedAnkaError(f"cpu: {cores} is not between 1 and {host_cores}, the host's cores", USAGE)
    return lambda vm: dict(vm, cpu_cores=cores)


def ram(size: int) -> Change:
    return lambda vm: dict(vm, ram_bytes=size)


def disk(size: int | None) -> Change:
    """A disk grows only: the guest's file system would lose its end."""

    def change(vm: dict[str, Any]) -> dict[str, Any]:
        if size is not None and size < vm["hard_drive"]:
            raise SimulatedAnkaError(f"disk: cannot shrink from {vm['hard_drive']} to {size} bytes", USAGE)
        return dict(vm, hard_drive=size or vm["hard_drive"])

    return change


def display(values: dict[str, Any]) -> Change:
    return lambda vm: dict(vm, display={**vm["display"], **values})


def mac_address(text: str) -> str:
    parts = text.split(":")
    if text != "auto" and not (len(parts) == 6 and all(len(part) == 2 and _hex(part) for part in parts)):
        raise SimulatedAnkaError(f"network: {text!r} is not a MAC address such as 16:7d:2a:00:00:01, or auto", USAGE)
    return text.lower()


def vlan(number: int, known: Sequence[object]) -> int:
    if not 0 <= number <= VLAN_MAX:
        raise SimulatedAnkaError(f"network: VLAN {number} is not between 0 and {VLAN_MAX}", USAGE)
    if number and known and str(number) not in [str(vlan) for vlan in known]:
        raise SimulatedAnkaError(f"network: VLAN {number} is not configured on the host")
    return number


def network(values: dict[str, Any]) -> Change:
    """VLANs exist in bridge mode only."""

    def change(vm: dict[str, Any]) -> dict[str, Any]:
        result = {**vm["network"], **values}
        if values.get("vlan") and result["mode"] != "bridge":
            raise SimulatedAnkaError(f"network: a VLAN needs bridge mode, the VM has {result['mode']}")
        return dict(vm, network=result)

    return change


def _port(number: int, what: str, lowest: int) -> int:
    if not lowest <= number <= 65535:
        raise SimulatedAnkaError(f"port: {what} port {number} is not between {lowest} and 65535", USAGE)
    return number


def put_rule(
    name: str, guest: int | None, host: int | None, address: str | None, *, new_name: str | None = None
) -> Change:
    """Add a port forwarding rule, or change what is given of an existing one."""

    def change(vm: dict[str, Any]) -> dict[str, Any]:
        old = next((rule for rule in vm["rules"] if rule["name"] == name), None)
        if old is None and guest is None:
            raise SimulatedAnkaError(f"port: rule {name} needs a guest port", USAGE)
        rule = dict(old or {"name": name, "protocol": "tcp", "host_port": 0, "host_ip": ""})
        if guest is not None:
            rule["guest_port"] = _port(guest, "guest", 1)
        if host is not None:
            rule["host_port"] = _port(host, "host", 0)
        if address is not None:
            rule["host_ip"] = "" if address == "any" else address
        rule["name"] = new_name or name
        if old is None:
            return dict(vm, rules=[*vm["rules"], rule])
        return dict(vm, rules=[rule if other is old else other for other in vm["rules"]])

    return change


def add_rule(name: str, guest: int, host: int | None, address: str | None) -> Change:
    """Add a port forwarding rule; its name must be new."""

    def change(vm: dict[str, Any]) -> dict[str, Any]:
        if any(rule["name"] == name for rule in vm["rules"]):
            raise SimulatedAnkaError(f"port-forwarding: rule {name} already exists", EXISTS)
        return put_rule(name, guest, host, address)(vm)

    return change


def remove_rule(value: str, *, by: str = "name") -> Change:
    def change(vm: dict[str, Any]) -> dict[str, Any]:
        rest = [rule for rule in vm["rules"] if str(rule[by]) != value]
        if len(rest) == len(vm["rules"]):
            raise not_found(f"port forwarding rule {value}")
        return dict(vm, rules=rest)

    return change


def remove_rules() -> Change:
    return lambda vm: dict(vm, rules=[])


def entry(field: str, name: str, value: str | None) -> Change:
    """Set a label or custom variable; None removes it."""

    def change(vm: dict[str, Any]) -> dict[str, Any]:
        held = {key: old for key, old in vm[field].items() if key != name}
        if value is None and name not in vm[field]:
            raise not_found(name)
        return dict(vm, **{field: held if value is None else {**held, name: value}})

    return change


def mount(path: str, name: str, *, remove: bool) -> Change:
    label = name or path.rstrip("/").rpartition("/")[2]

    def change(vm: dict[str, Any]) -> dict[str, Any]:
        rest = [old for old in vm["mounts"] if old["name"] != label]
        return dict(vm, mounts=rest if remove else [*rest, {"path": path, "name": label}])

    return change


def usb(device: str, *, remove: bool) -> Change:
    def change(vm: dict[str, Any]) -> dict[str, Any]:
        rest = [old for old in vm["usb"] if old != device]
        return dict(vm, usb=rest if remove else [*rest, device])

    return change


def _hex(text: str) -> bool:
    return all(letter in "0123456789abcdefABCDEF" for letter in text)
