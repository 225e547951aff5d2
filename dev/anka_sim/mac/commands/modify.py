"""`anka modify` in both dialects: `modify VM set|add|delete …` (2.x) and `modify VM PART …` (3.x)."""

from __future__ import annotations

from anka_sim.mac import changes, views
from anka_sim.mac.errors import USAGE, SimulatedAnkaError, not_found
from anka_sim.mac.options import integer, parse, size
from anka_sim.mac.output import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from anka_sim.mac.context import CommandContext

    # A pure change of a VM's record.
    Change = Callable[[dict[str, Any]], dict[str, Any]]
    Maker = Callable[[CommandContext, list[str]], Change]


def modify(context: CommandContext, args: list[str]) -> Reply:
    if len(args) < 2:
        raise SimulatedAnkaError("modify: expected VM PROPERTY …", USAGE)
    ref, part, *rest = args
    context.mac.find(ref)
    verb = ""
    if str(context.mac.config["version"]).startswith("2.") and part not in ("set", "add", "delete"):
        raise SimulatedAnkaError(f"modify: no such command {part}; this version knows set, add, delete", USAGE)
    if part in ("set", "add", "delete"):
        if not rest:
            raise SimulatedAnkaError(f"modify: {part} what? Known are {', '.join(sorted(_verbs(part)))}", USAGE)
        verb, part, rest = part, rest[0], rest[1:]
    if part == "name" and verb in ("", "set"):
        (name,) = parse("modify name", rest).positional("modify name", "NAME")
        context.mac.rename(ref, name)
        return Reply()
    maker = _verbs(verb).get(part)
    if maker is None:
        raise SimulatedAnkaError(f"modify: unknown property {part}; known are {', '.join(sorted(_verbs(verb)))}", USAGE)
    context.mac.modify(ref, maker(context, rest), live=part in LIVE)
    return Reply()


def cpu(context: CommandContext, args: list[str]) -> Change:
    options = parse("modify cpu", args, "c,cores,cpu-cores,core-count=", "f,frequency=")
    given = options.value("cores") or options.positional("modify cpu", "N")[0]
    return changes.cpu(integer(given, "cpu"), int(context.mac.config["cpu_cores"]))


def ram(context: CommandContext, args: list[str]) -> Change:
    options = parse("modify ram", args, "s,size=")
    return changes.ram(size(options.value("size") or options.positional("modify ram", "SIZE")[0], "ram"))


def disk(context: CommandContext, args: list[str]) -> Change:
    options = parse("modify disk", args, "s,size=", "c,controller=", "f,file=", "ro", "rw", "i,index=")
    given = options.value("size") or (options.args[0] if options.args else None)
    return changes.disk(size(given, "disk") if given else None)


def display(context: CommandContext, args: list[str]) -> Change:
    options = parse(
        "modify display",
        args,
        "n,count=",
        "headless",
        "p,password",
        "vnc=",
        "no-vnc",
        "d,dpi=",
        "r,resolution=",
        "f,fps=",
        "c,controller=",
        "host-gpu-location=",
        "host-gpu-name=",
        "features=",
    )
    change: dict[str, Any] = {name: options.integer(name) for name in ("count", "dpi", "fps") if options.value(name)}
    if options.flag("headless"):
        change["count"] = 0
    if (resolution := options.value("resolution")) is not None:
        change["resolution"] = "1024x768" if resolution == "default" else resolution
    if (controller := options.value("controller")) is not None:
        change["controller"] = changes.one_of("display controller", controller, "fbuf", "pg")
        _needs_intel(context, "display controller")
    if options.flag("no-vnc") or options.value("vnc"):
        change["vnc"] = options.value("vnc") not in (None, "off")
    return changes.display(change)


def network(context: CommandContext, args: list[str]) -> Change:
    options = parse(
        "modify network",
        args,
        "t,mode,type=",
        "b,bridge=",
        "m,mac,mac-address=",
        "v,vlan=",
        "c,controller=",
        "local",
        "no-local",
        "f,filter=",
        "n,no-mac",
    )
    change: dict[str, Any] = {}
    if (mode := options.value("mode")) is not None:
        change["mode"] = changes.one_of("network mode", mode, "shared", "host", "bridge", "disconnected")
    if (controller := options.value("controller")) is not None:
        change["controller"] = changes.one_of("network controller", controller, "anet", "virtio-net")
    if (bridge := options.value("bridge")) is not None:
        change["bridge"] = bridge
    if options.flag("local") or options.flag("no-local"):
        change["local"] = not options.flag("no-local")
    if (mac := options.value("mac")) is not None:
        change["mac"] = changes.mac_address(mac)
    if (vlan := options.integer("vlan")) is not None:
        change["vlan"] = changes.vlan(vlan, context.mac.config["vlans"])
    return changes.network(change)


def port(context: CommandContext, args: list[str]) -> Change:
    """3.x: `port NAME GUEST[:ADDRESS][:HOST]`, `port NAME -d`; an existing rule is changed."""
    options = parse("modify port", args, "g,guest-port=", "p,host-port=", "l,host-ip=", "d,delete", "set-name=")
    name, *rule = options.positional("modify port", "NAME", "RULE", optional=1)
    if options.flag("delete"):
        return changes.remove_rule(name)
    guest, host, address = options.integer("guest-port"), options.integer("host-port"), options.value("host-ip")
    if rule:
        first, *more = rule[0].split(":")
        guest = integer(first, "guest port")
        for part in more:
            if part.isdigit():
                host = int(part)
            else:
                address = part
    return changes.put_rule(name, guest, host, address, new_name=options.value("set-name"))


def add_port(context: CommandContext, args: list[str]) -> Change:
    """2.x: `add port-forwarding -g GUEST [-p HOST] [-l ADDRESS] NAME`; host port 0 is dynamic."""
    options = parse("modify add port-forwarding", args, "p,host-port=", "g,guest-port=", "l,host-ip=", "P,protocol=")
    (name,) = options.positional("modify add port-forwarding", "NAME")
    guest = options.integer("guest-port")
    if guest is None:
        raise SimulatedAnkaError("modify add port-forwarding: --guest-port is required", USAGE)
    return changes.add_rule(name, guest, options.integer("host-port"), options.value("host-ip"))


def delete_port(context: CommandContext, args: list[str]) -> Change:
    options = parse("modify delete port", args, "a,all", "g,guest-port=")
    if options.flag("all"):
        return changes.remove_rules()
    if guest := options.integer("guest-port"):
        return changes.remove_rule(str(guest), by="guest_port")
    return changes.remove_rule(options.positional("modify delete port", "NAME")[0])


def _needs_intel(context: CommandContext, what: str) -> None:
    if context.mac.config["arch"] != "amd64":
        raise SimulatedAnkaError(f"modify: {what} cannot be set on this hardware (Intel only)")


def custom(context: CommandContext, args: list[str]) -> Change:
    _needs_intel(context, "custom-variable")
    options = parse("modify custom-variable", args, "d,delete")
    if options.flag("delete"):
        return changes.entry("custom", options.positional("modify custom-variable", "NAME")[0], None)
    name, value = options.positional("modify custom-variable", "NAME", "VALUE")
    return changes.entry("custom", name, value)


def delete_custom(context: CommandContext, args: list[str]) -> Change:
    (name,) = parse("modify delete custom-variable", args).positional("modify delete custom-variable", "NAME")
    return changes.entry("custom", name, None)


def label(context: CommandContext, args: list[str]) -> Change:
    """`label NAME VALUE`, `label NAME=VALUE`, `label NAME -d`."""
    options = parse("modify label", args, "d,delete")
    name, *value = options.positional("modify label", "NAME", "VALUE", optional=1)
    if options.flag("delete"):
        return changes.entry("labels", name, None)
    key, _, inline = name.partition("=")
    return changes.entry("labels", key, value[0] if value else inline)


def description(context: CommandContext, args: list[str]) -> Change:
    options = parse("modify description", args)
    text = options.positional("modify description", "TEXT")[0]
    return lambda vm: dict(vm, description=text)


def mount(context: CommandContext, args: list[str]) -> Change:
    options = parse("modify mount", args, "d,delete", "ro")
    path, _, name = options.positional("modify mount", "PATH[:NAME]")[0].partition(":")
    return changes.mount(path, name, remove=options.flag("delete"))


def usb(context: CommandContext, args: list[str]) -> Change:
    options = parse("modify usb-device", args, "d,delete")
    device = options.positional("modify usb-device", "DEVICE")[0]
    return changes.usb(_usb_location(context, device), remove=options.flag("delete"))


def delete_usb(context: CommandContext, args: list[str]) -> Change:
    (device,) = parse("modify delete usb-device", args).positional("modify delete usb-device", "DEVICE")
    return changes.usb(_usb_location(context, device), remove=True)


def _usb_location(context: CommandContext, device: str) -> str:
    for known in context.mac.config["usb"]:
        if device in views.usb_names(known):
            return views.usb_location(known)
    raise not_found(f"usb device {device}")


def extra_part(context: CommandContext, args: list[str]) -> Change:
    """Second drives and cards can be added and removed; nothing of them is simulated."""
    return lambda vm: vm


# Changed while the VM runs, as the real command allows.
LIVE = ("label", "description")
_PARTS: dict[str, Maker] = {
    "cpu": cpu,
    "ram": ram,
    "disk": disk,
    "hard-drive": disk,
    "display": display,
    "network": network,
    "network-card": network,
    "port": port,
    "custom-variable": custom,
    "label": label,
    "description": description,
    "mount": mount,
    "usb-device": usb,
}
_ADD: dict[str, Maker] = {
    "port-forwarding": add_port,
    "port": port,
    "hard-drive": extra_part,
    "network-card": extra_part,
    "usb-device": usb,
    "custom-variable": custom,
    "mount": mount,
    "label": label,
}
_DELETE: dict[str, Maker] = {
    "port-forwarding": delete_port,
    "port": delete_port,
    "hard-drive": extra_part,
    "network-card": extra_part,
    "usb-device": delete_usb,
    "custom-variable": delete_custom,
}


def _verbs(verb: str) -> dict[str, Maker]:
    return {"": _PARTS, "set": _PARTS, "add": _ADD, "delete": _DELETE}[verb]


TABLE = {"modify": modify}
