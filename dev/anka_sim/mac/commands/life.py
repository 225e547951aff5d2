"""Commands of a VM's life: create, clone, start, stop, suspend, reboot, delete."""

from __future__ import annotations

import os

from anka_sim.mac.errors import USAGE, SimulatedAnkaError
from anka_sim.mac.options import parse, size
from anka_sim.mac.output import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from anka_sim.mac.context import CommandContext

VERSIONS = (
    {"version": "15.1", "build": "24B83", "post_date": "2024-10-28", "latest": True},
    {"version": "14.7.1", "build": "23H222", "post_date": "2024-10-28"},
)


def create(context: CommandContext, args: list[str]) -> Reply:
    options = parse(
        "create",
        args,
        "l,list",
        "a,app=",
        "s,disk-size=",
        "c,cpu-count,cpu=",
        "m,ram-size,ram=",
        "p,password=",
        "u,user=",
    )
    if options.flag("list"):
        return Reply([dict(version) for version in VERSIONS])
    name, *_ = options.positional("create", "NAME", "VERSION", optional=1)
    vm = context.mac.create(
        name,
        cpu=options.integer("cpu-count") or 4,
        ram=size(options.value("ram-size") or "4G", "--ram-size"),
        disk=size(options.value("disk-size") or "128G", "--disk-size"),
    )
    return Reply(vm["uuid"])


def clone(context: CommandContext, args: list[str]) -> Reply:
    options = parse("clone", args, "c,copy", "t,tag=")
    source, name = options.positional("clone", "VM", "NAME")
    vm = context.mac.clone(source, name, tag=options.value("tag"))
    return Reply({"uuid": vm["uuid"], "name": vm["name"]}, text=vm["uuid"])


def start(context: CommandContext, args: list[str]) -> Reply:
    options = parse(
        "start", args, "u,update-addons,update", "v,view", "f,force", "m,mount=", "d,usb,usb-device=", "a,app="
    )
    (ref,) = options.positional("start", "VM")
    for device in options.values("usb"):
        context.mac.claim_usb(ref, device)
    if password := os.environ.get("ANKA_VNC_PASSWORD"):
        context.mac.update(context.mac.find(ref)["uuid"], lambda vm: dict(vm, vnc_password=password))
    context.mac.start(ref)
    return Reply()


def stop(context: CommandContext, args: list[str]) -> Reply:
    options = parse("stop", args, "f,force", "a,all")
    refs = [row["uuid"] for row in context.mac.rows(status="running")] if options.flag("all") else options.args
    if not refs and not options.flag("all"):
        raise SimulatedAnkaError("stop: expected VM, got: nothing", USAGE)
    for ref in refs:
        context.mac.find(ref)
    for ref in refs:
        context.mac.stop(ref, force=options.flag("force"))
    return Reply()


def suspend(context: CommandContext, args: list[str]) -> Reply:
    options = parse("suspend", args, "a,all")
    refs = [row["uuid"] for row in context.mac.rows(status="running")] if options.flag("all") else options.args
    if not refs and not options.flag("all"):
        raise SimulatedAnkaError("suspend: expected VM, got: nothing", USAGE)
    for ref in refs:
        context.mac.suspend(ref)
    return Reply()


def reboot(context: CommandContext, args: list[str]) -> Reply:
    options = parse("reboot", args, "f,force")
    (ref,) = options.positional("reboot", "VM")
    context.mac.reboot(ref, force=options.flag("force"))
    return Reply()


def delete(context: CommandContext, args: list[str]) -> Reply:
    """`delete --yes VM…`, `--all`, `--tag T VM` (a local tag), `--cache` (downloads that nothing uses)."""
    options = parse("delete", args, "y,yes", "a,all", "t,tag=", "c,cache")
    mac = context.mac
    if options.flag("cache"):
        mac.clean()
        return Reply()
    refs = [row["uuid"] for row in mac.rows()] if options.flag("all") else options.args
    if not refs and not options.flag("all"):
        raise SimulatedAnkaError("delete: expected VM, got: nothing", USAGE)
    if not options.flag("yes"):
        raise SimulatedAnkaError("delete: refusing without confirmation, use --yes", USAGE)
    for ref in refs:
        mac.find(ref)
    tag = options.value("tag")
    for ref in refs:
        if tag is None:
            mac.delete(ref)
        else:
            mac.delete_tag(ref, tag)
    return Reply()


TABLE = {
    "create": create,
    "clone": clone,
    "start": start,
    "stop": stop,
    "suspend": suspend,
    "reboot": reboot,
    "delete": delete,
}
