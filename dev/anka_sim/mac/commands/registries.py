"""Commands about template registries: registry, and its shorthands pull and push."""

from __future__ import annotations

from anka_sim.mac import records, remote, templates
from anka_sim.mac.errors import EXISTS, REGISTRY, USAGE, SimulatedAnkaError, not_found
from anka_sim.mac.options import Options, parse
from anka_sim.mac.output import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from anka_sim.mac.context import CommandContext

CONNECTION = (
    "r,remote,registry-path=",
    "k,insecure",
    "cert,c=",
    "key=",
    "cacert,root-cert=",
    "api-key-id=",
    "api-key=",
)


def registry(context: CommandContext, args: list[str]) -> Reply:
    """`registry [connection options] COMMAND`."""
    options = parse("registry", args, *CONNECTION, "list", intermixed=False)
    if options.flag("list"):
        return repos(context, options, [])
    if not options.args:
        raise SimulatedAnkaError(f"registry: expected a command; known are {', '.join(sorted(ACTIONS))}", USAGE)
    action, *rest = options.args
    if action not in ACTIONS:
        raise SimulatedAnkaError(f"registry: unknown command {action}; known are {', '.join(sorted(ACTIONS))}", USAGE)
    return ACTIONS[action](context, options, rest)


def _open(context: CommandContext, options: Options, name: str | None = None) -> remote.RegistryConnection:
    """The registry that is meant: by URL, by name, or the default one."""
    wanted = name or options.value("remote")
    known = context.mac.config["registries"]
    if wanted and "://" in wanted:
        url = wanted
    elif wanted:
        found = [entry["url"] for entry in known if entry["name"] == wanted]
        if not found:
            raise not_found(f"registry {wanted}")
        url = found[0]
    else:
        chosen = [entry["url"] for entry in known if entry.get("default")] or [entry["url"] for entry in known]
        if not chosen:
            raise SimulatedAnkaError("no registry is configured; use: anka registry add NAME URL", REGISTRY)
        url = chosen[0]
    return remote.RegistryConnection(url, **remote.credentials(options))


def repos(context: CommandContext, options: Options, args: list[str]) -> Reply:
    known = context.mac.config["registries"]
    return Reply(
        [{"name": entry["name"], "url": entry["url"], "default": bool(entry.get("default"))} for entry in known]
    )


def add(context: CommandContext, options: Options, args: list[str]) -> Reply:
    name, url = parse("registry add", args).positional("registry add", "NAME", "URL")
    remote.RegistryConnection(url)
    known = context.mac.config["registries"]
    if any(entry["name"] == name for entry in known):
        raise SimulatedAnkaError(f"registry {name}: already exists", EXISTS)
    context.mac.save_config(registries=[*known, {"name": name, "url": url, "default": not known}])
    return Reply()


def set_default(context: CommandContext, options: Options, args: list[str]) -> Reply:
    (name,) = parse("registry set", args, "d,default").positional("registry set", "NAME")
    known = context.mac.config["registries"]
    if not any(entry["name"] == name for entry in known):
        raise not_found(f"registry {name}")
    context.mac.save_config(registries=[{**entry, "default": entry["name"] == name} for entry in known])
    return Reply()


def remove(context: CommandContext, options: Options, args: list[str]) -> Reply:
    (name,) = parse("registry remove", args).positional("registry remove", "NAME")
    known = context.mac.config["registries"]
    rest = [entry for entry in known if entry["name"] != name]
    if len(rest) == len(known):
        raise not_found(f"registry {name}")
    context.mac.save_config(registries=rest)
    return Reply()


def list_(context: CommandContext, options: Options, args: list[str]) -> Reply:
    """Templates with both `uuid` (3.x) and `id` (2.x): clients read either."""
    parse("registry list", args, "f,field=")
    source = _open(context, options)
    rows = []
    for template in source.templates():
        versions = source.template(template["id"])["versions"]
        latest = versions[-1]["tag"] if versions else ""
        rows.append({"uuid": template["id"], "id": template["id"], "name": template["name"], "latest": latest})
    return Reply(rows)


def show(context: CommandContext, options: Options, args: list[str]) -> Reply:
    given = parse("registry show", args, "t,tag=")
    ref, *part = given.positional("registry show", "TEMPLATE", "PROPERTY", optional=1)
    source = _open(context, options)
    uuid = source.resolve(ref)
    manifest = source.manifest(uuid, given.value("tag"))
    if part:
        template = source.template(uuid)
        vm = _record(manifest)
        vm["tags"] = [
            {"tag": item["tag"], "number": item["number"], "size": item["size"]} for item in template["versions"]
        ]
        from anka_sim.mac import views

        return Reply(views.part(vm, part[0], 0.0))
    from anka_sim.mac import views

    return Reply(views.show(_record(manifest), 0.0))


def _record(manifest: dict[str, Any]) -> dict[str, Any]:
    vm = records.new(manifest["id"], manifest["name"], manifest["creation_date"], arch=manifest["arch"])
    vm.update(manifest["config"], version=manifest["tag"], image_size=manifest["size"])
    return vm


def describe(context: CommandContext, options: Options, args: list[str]) -> Reply:
    (ref,) = parse("registry describe", args).positional("registry describe", "TEMPLATE")
    source = _open(context, options)
    return Reply(source.template(source.resolve(ref)))


def pull_action(context: CommandContext, options: Options, args: list[str]) -> Reply:
    given = parse(
        "pull",
        args,
        "t,tag=",
        "l,local",
        "fetch-only",
        "s,shrink",
        "check-download-size",
        "q,quiet",
        "r,registry,remote=",
    )
    ref, *name = given.positional("pull", "TEMPLATE", "REGISTRY", optional=1)
    tag = given.value("tag")
    if given.flag("local"):
        templates.checkout(context.mac, ref, tag)
        return Reply()
    source = _open(context, options, name[0] if name else given.value("registry"))
    manifest = source.manifest(source.resolve(ref), tag)
    if given.flag("check-download-size"):
        return Reply(templates.download_size(context.mac, manifest))
    fetch_only = given.flag("fetch-only")
    local = templates.find_template(context.mac, manifest["id"])
    current = local is not None and local.get("version") == manifest["tag"]
    if templates.is_local(context.mac, manifest) and (fetch_only or current) and not given.flag("shrink"):
        return Reply(message=f"{manifest['name']}: available locally")
    progress: Callable[[str], None] = (lambda line: None) if given.flag("quiet") else context.progress
    templates.pull(context.mac, source, manifest, progress, checkout=not fetch_only, shrink=given.flag("shrink"))
    return Reply()


def check_size(context: CommandContext, options: Options, args: list[str]) -> Reply:
    return pull_action(context, options, [*args, "--check-download-size"])


def push_action(context: CommandContext, options: Options, args: list[str]) -> Reply:
    given = parse(
        "push",
        args,
        "t,tag=",
        "d,description=",
        "v,remote-vm=",
        "f,force",
        "l,local",
        "s,shallow",
        "q,quiet",
        "r,registry,remote=",
    )
    ref, *more = given.positional("push", "VM", "TAG", optional=1)
    tag = given.value("tag") or (more[0] if more else None)
    if not tag:
        raise SimulatedAnkaError("push: a tag is required, use --tag", USAGE)
    target = None if given.flag("local") else _open(context, options, given.value("registry"))
    progress: Callable[[str], None] = (lambda line: None) if given.flag("quiet") else context.progress
    templates.push(
        context.mac,
        target,
        ref,
        tag,
        description=given.value("description") or "",
        remote=given.value("remote-vm"),
        force=given.flag("force"),
        progress=progress,
    )
    return Reply()


def revert(context: CommandContext, options: Options, args: list[str]) -> Reply:
    """Delete from the registry: the newest tag, a tag and all after it, or the template."""
    given = parse("registry revert", args, "t,tag=", "n,number=", "a,all", "y,yes")
    (ref,) = given.positional("registry revert", "TEMPLATE")
    if not given.flag("yes"):
        raise SimulatedAnkaError("registry revert: refusing without confirmation, use --yes", USAGE)
    source = _open(context, options)
    uuid = source.resolve(ref)
    if given.flag("all"):
        source.call("DELETE", "/registry/vm", {"id": uuid})
        return Reply()
    query = {"id": uuid}
    for name in ("tag", "number"):
        if (value := given.value(name)) is not None:
            query[name] = value
    source.call("DELETE", "/registry/revert", query)
    return Reply()


ACTIONS: dict[str, Callable[[CommandContext, Options, list[str]], Reply]] = {
    "list-repos": repos,
    "add": add,
    "set": set_default,
    "remove": remove,
    "delete": remove,
    "list": list_,
    "show": show,
    "describe": describe,
    "pull": pull_action,
    "push": push_action,
    "revert": revert,
    "check-download-size": check_size,
}


def pull(context: CommandContext, args: list[str]) -> Reply:
    return pull_action(context, parse("pull", [], *CONNECTION), args)


def push(context: CommandContext, args: list[str]) -> Reply:
    return push_action(context, parse("push", [], *CONNECTION), args)


TABLE = {"registry": registry, "pull": pull, "push": push}
