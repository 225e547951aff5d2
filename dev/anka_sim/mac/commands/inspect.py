"""Commands that look: version, license, list, show, describe, config."""

from __future__ import annotations

from anka_sim.mac.errors import USAGE, SimulatedAnkaError, not_found
from anka_sim.mac.options import parse
from anka_sim.mac.output import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from anka_sim.mac.context import CommandContext


def version(context: CommandContext, args: list[str]) -> Reply:
    parse("version", args).positional("version")
    config = context.mac.config
    body = {"product": config["license"]["product"], "version": config["version"], "build": config["build"]}
    return Reply(
        body, text=f"Anka {body['product'].removeprefix('Anka ')} version {body['version']} (build {body['build']})"
    )


def license_(context: CommandContext, args: list[str]) -> Reply:
    action, *rest = args or ["show"]
    held = context.mac.config["license"]
    if action == "show":
        key = held.get("key", "")
        return Reply(key) if rest[:1] in (["key"], ["-k"], ["k"]) else Reply(held)
    if action == "activate":
        options = parse("license activate", rest, "f,force")
        (key,) = options.positional("license activate", "KEY")
        context.mac.save_config(license={**held, "status": "valid", "key": key})
        return Reply()
    if action in ("remove", "delete"):
        context.mac.save_config(license={**held, "status": "none", "license_type": "com.veertu.anka.develop"})
        return Reply()
    if action in ("accept-eula", "validate"):
        return Reply()
    raise SimulatedAnkaError(f"license: unknown command {action}", USAGE)


def list_(context: CommandContext, args: list[str]) -> Reply:
    options = parse("list", args, "r,running", "s,stopped", "S,suspended", "a,all", "f,field=")
    status = next((word for word in ("running", "stopped", "suspended") if options.flag(word)), None)
    fields = [field for group in options.values("field") for field in group.split(",") if field]
    return Reply(context.mac.rows(options.args, status=status, fields=fields))


def show(context: CommandContext, args: list[str]) -> Reply:
    options = parse("show", args, "t,tag=")
    ref, *rest = options.positional("show", "VM", "PROPERTY", optional=1)
    if rest:
        return Reply(context.mac.show_part(ref, rest[0]))
    return Reply(context.mac.show(ref, tag=options.value("tag")))


def describe(context: CommandContext, args: list[str]) -> Reply:
    (ref,) = parse("describe", args).positional("describe", "VM")
    return Reply(context.mac.describe(ref))


def config(context: CommandContext, args: list[str]) -> Reply:
    """`config`: all, `config NAME`: its value, `config NAME VALUE`: set it, `config -r NAME`: back to the default."""
    options = parse("config", args, "l,list", "r,reset", "d,delete")
    settings = context.mac.config["settings"]
    known = {"vnc_password": "admin", "default_user": "anka", "default_passwd": "admin", **settings}
    if options.flag("list") or not options.args:
        return Reply(known)
    name, *value = options.positional("config", "NAME", "VALUE", optional=1)
    if options.flag("reset") or options.flag("delete"):
        context.mac.save_config(settings={key: held for key, held in settings.items() if key != name})
        return Reply()
    if value:
        context.mac.save_config(settings={**settings, name: value[0]})
        return Reply()
    if name not in known:
        raise not_found(f"config {name}")
    return Reply(known[name])


TABLE = {"version": version, "license": license_, "list": list_, "show": show, "describe": describe, "config": config}
