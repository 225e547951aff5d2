"""Commands about what is attached to a VM: USB devices, mounted directories, its log and display."""

from __future__ import annotations

import os

from anka_sim.mac import views
from anka_sim.mac.errors import BUSY, USAGE, SimulatedAnkaError, not_found
from anka_sim.mac.options import parse
from anka_sim.mac.output import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from anka_sim.mac.context import CommandContext


def usb(context: CommandContext, args: list[str]) -> Reply:
    """`usb list`, `usb claim DEVICE` and `usb release DEVICE` (reserve a host device for VMs)."""
    action, *rest = args or ["list"]
    devices: list[dict[str, Any]] = context.mac.config["usb"]
    if action == "list":
        owners = {location: vm["name"] for vm in context.mac.vms() for location in vm["usb"]}
        rows = [(device, owners.get(views.usb_location(device))) for device in devices]
        return Reply([{**device, **({"vm": owner} if owner else {})} for device, owner in rows])
    if action not in ("claim", "release"):
        raise SimulatedAnkaError(f"usb: unknown command {action}; known are list, claim, release", USAGE)
    options = parse(f"usb {action}", rest, "n,name,claim-name=")
    (wanted,) = options.positional(f"usb {action}", "DEVICE")
    known = [device for device in devices if wanted in views.usb_names(device)]
    if not known:
        raise not_found(f"usb device {wanted}")
    changed = {"claimed": action == "claim", **({"name": options.value("name")} if options.value("name") else {})}
    context.mac.save_config(usb=[{**device, **changed} if device is known[0] else device for device in devices])
    return Reply()


def attach(context: CommandContext, args: list[str]) -> Reply:
    ref, device = parse("attach", args).positional("attach", "VM", "DEVICE")
    context.mac.claim_usb(ref, device)
    return Reply()


def detach(context: CommandContext, args: list[str]) -> Reply:
    ref, device = parse("detach", args).positional("detach", "VM", "DEVICE")
    context.mac.claim_usb(ref, device, claim=False)
    return Reply()


def mount(context: CommandContext, args: list[str]) -> Reply:
    """`mount VM PATH[:NAME]`: show a host directory in a running VM."""
    ref, spec = parse("mount", args).positional("mount", "VM", "PATH[:NAME]")
    path, _, name = spec.partition(":")
    if not os.path.isdir(path):
        raise SimulatedAnkaError(f"mount: {path}: no such directory on the host")
    if context.mac.find(ref)["status"] != "running":
        raise SimulatedAnkaError(f"{ref}: VM is not running", BUSY)
    entry = {"path": os.path.abspath(path), "name": name or os.path.basename(os.path.normpath(path))}

    def change(vm: dict[str, Any]) -> dict[str, Any]:
        return dict(vm, mounts=[*(old for old in vm["mounts"] if old["name"] != entry["name"]), entry])

    context.mac.modify(ref, change, live=True)
    return Reply()


def unmount(context: CommandContext, args: list[str]) -> Reply:
    ref, *name = parse("unmount", args).positional("unmount", "VM", "NAME", optional=1)
    held = context.mac.find(ref)["mounts"]
    if name and name[0] not in [entry["name"] for entry in held]:
        raise not_found(f"mount {name[0]}")

    def change(vm: dict[str, Any]) -> dict[str, Any]:
        return dict(vm, mounts=[entry for entry in vm["mounts"] if name and entry["name"] != name[0]])

    context.mac.modify(ref, change, live=True)
    return Reply()


def log(context: CommandContext, args: list[str]) -> Reply:
    options = parse("log", args)
    vm = context.mac.find(options.positional("log", "VM")[0])
    dates = {"created": "creation_date", "started": "start_date", "stopped": "stop_date"}
    lines = [f"{vm[key]} {word}" for word, key in dates.items() if vm.get(key)]
    return Reply("\n".join(lines))


def view(context: CommandContext, args: list[str]) -> Reply:
    (ref,) = parse("view", args).positional("view", "VM")
    if context.mac.find(ref)["status"] != "running":
        raise SimulatedAnkaError(f"{ref}: VM is not running", BUSY)
    return Reply()


TABLE = {
    "usb": usb,
    "attach": attach,
    "detach": detach,
    "mount": mount,
    "unmount": unmount,
    "log": log,
    "view": view,
}
