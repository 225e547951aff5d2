"""Templates on a Mac: pulling tags from a registry, pushing them, checking them out."""

from __future__ import annotations

import fcntl
import os
import time

from anka_sim.mac import images, records, sandbox, trees
from anka_sim.mac.errors import BUSY, EXISTS, NO_SPACE, SimulatedAnkaError, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from anka_sim.mac.core import SimulatedMac
    from anka_sim.mac.remote import RegistryConnection

    Progress = Callable[[str], None]

# Progress lines come at most this often.
PROGRESS_SECONDS = 0.5


def find_template(mac: SimulatedMac, uuid: str) -> dict[str, Any] | None:
    """The local template of that UUID; None when there is none."""
    return next((vm for vm in mac.vms() if vm["uuid"] == uuid), None)


def missing(mac: SimulatedMac, layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The layers that this Mac does not have yet."""
    home = mac.store.path or ""
    return [layer for layer in layers if not os.path.exists(sandbox.image(home, layer["name"]))]


def is_local(mac: SimulatedMac, manifest: dict[str, Any]) -> bool:
    vm = find_template(mac, manifest["id"])
    # The same tag may have been pushed again with another content.
    newest = manifest["layers"][-1]["name"]
    return bool(
        vm
        and any(tag["tag"] == manifest["tag"] and tag["images"][-1] == newest for tag in vm["tags"])
        and not missing(mac, manifest["layers"])
    )


def download_size(mac: SimulatedMac, manifest: dict[str, Any]) -> dict[str, int]:
    """Bytes: what the tag weighs, how much of it is here, how much disk is free; empty when the tag is here."""
    if is_local(mac, manifest):
        return {}
    total = sum(layer["size"] for layer in manifest["layers"])
    absent = sum(layer["size"] for layer in missing(mac, manifest["layers"]))
    return {"size": absent, "cached": total - absent, "available": mac.disk_usage()["free"]}


def pull(
    mac: SimulatedMac,
    registry: RegistryConnection,
    manifest: dict[str, Any],
    progress: Progress,
    *,
    checkout: bool = True,
    shrink: bool = False,
) -> None:
    """Fetch the missing layers and record the tag. After a kill at any point a second pull continues."""
    absent = missing(mac, manifest["layers"])
    need = sum(layer["size"] for layer in absent)
    free = mac.disk_usage()["free"]
    if need > free:
        raise SimulatedAnkaError(
            f"{manifest['name']}: not enough free disk space, {need} bytes are needed and {free} are free", NO_SPACE
        )
    vm = find_template(mac, manifest["id"])
    if vm is None and any(manifest["name"] == other["name"] for other in mac.vms()):
        raise SimulatedAnkaError(f"{manifest['name']}: already exists", EXISTS)
    if vm and vm["status"] == "running" and checkout:
        raise SimulatedAnkaError(f"{vm['name']}: VM is running, stop it before pulling", BUSY)
    meter = _Meter(need, progress)
    # What a concurrent delete removes before the commit is fetched again.
    while absent:
        for layer in absent:
            _fetch(mac, registry, manifest["id"], layer, meter)
        absent = missing(mac, manifest["layers"])
    _commit(mac, manifest, checkout=checkout, shrink=shrink)
    registry.call("POST", "/sim/v1/pulled", body={"id": manifest["id"], "tag": manifest["tag"]})
    if shrink:
        images.clean(mac.store)


class _Meter:
    """Counts bytes and reports progress from time to time."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total = max(total, 1)
        self._done = 0
        self._progress = progress
        self._last_report = 0.0

    def add(self, amount: int, name: str) -> None:
        self._done = min(self._done + amount, self._total)
        if time.monotonic() - self._last_report >= PROGRESS_SECONDS or self._done == self._total:
            self._last_report = time.monotonic()
            self._progress(f"pulling {name}: {100 * self._done / self._total:.1f}% ({self._done}/{self._total} bytes)")


def _fetch(mac: SimulatedMac, registry: RegistryConnection, uuid: str, layer: dict[str, Any], meter: _Meter) -> None:
    home = mac.store.path or ""
    os.makedirs(os.path.join(home, "images"), exist_ok=True)
    target = sandbox.image(home, layer["name"])
    with open(f"{target}.part", "ab") as part:
        # One process downloads a layer; the others wait for it and then find it done.
        fcntl.flock(part, fcntl.LOCK_EX)
        if os.path.exists(target):
            meter.add(layer["size"], layer["name"])
            return
        registry.download(uuid, layer["name"], part)
        part.flush()
        if os.fstat(part.fileno()).st_size != layer["payload"]:
            os.truncate(part.fileno(), 0)
            raise SimulatedAnkaError(f"image {layer['name']} arrived damaged; pull again")
        _pace(mac, layer, meter)
        os.replace(f"{target}.part", target)


def _pace(mac: SimulatedMac, layer: dict[str, Any], meter: _Meter) -> None:
    """The payload is small; take the time that the declared size would take."""
    rate = int(mac.config["delays"]["pull_bytes_per_second"])
    left = int(layer["size"])
    while rate and left > 0:
        step = min(left, max(int(rate * PROGRESS_SECONDS), 1))
        mac.sleep(step / rate)
        meter.add(step, layer["name"])
        left -= step
    if left:
        meter.add(left, layer["name"])


def _commit(mac: SimulatedMac, manifest: dict[str, Any], *, checkout: bool, shrink: bool) -> None:
    home = mac.store.path or ""
    tag = {
        "tag": manifest["tag"],
        "number": manifest["number"],
        "size": manifest["size"],
        "description": manifest["description"],
        "images": [layer["name"] for layer in manifest["layers"]],
        "suspended": manifest["suspended"],
    }
    staged = mac.store.staging("pull")
    with open(sandbox.image(home, tag["images"][-1]), "rb") as file:
        sandbox.unpack(file, os.path.join(staged, "root"))
    with mac.store.lock():
        vm = find_template(mac, manifest["id"])
        if vm is None:
            vm = records.new(manifest["id"], manifest["name"], mac.clock(), arch=manifest["arch"])
            vm.update(manifest["config"], version=tag["tag"], image_size=tag["size"], tags=[tag], status=_status(tag))
            mac.store.add(vm, staged)
            return
        others = [] if shrink else [old for old in vm["tags"] if old["tag"] != tag["tag"]]
        vm = dict(vm, tags=[*others, tag])
        if checkout:
            vm.update(manifest["config"], version=tag["tag"], image_size=tag["size"], status=_status(tag))
            _swap_root(home, vm["uuid"], staged)
        mac.store.put(vm)


def _swap_root(home: str, uuid: str, staged: str) -> None:
    """Put the staged files in the place of the template's; the old ones go away with the staging directory."""
    root = sandbox.root(home, uuid)
    if os.path.isdir(root):
        os.rename(root, os.path.join(staged, "old"))
    os.rename(os.path.join(staged, "root"), root)
    trees.remove(staged)


def checkout(mac: SimulatedMac, ref: str, tag: str | None) -> None:
    """Make a local tag (the newest by default) the current one, as `pull --local` does."""
    vm = mac.find(ref)
    if vm["status"] == "running":
        raise SimulatedAnkaError(f"{vm['name']}: VM is running, stop it first", BUSY)
    if not vm["tags"]:
        raise not_found(f"{vm['name']}: local tag")
    chosen = mac.tag(vm, tag) if tag else max(vm["tags"], key=lambda old: int(old["number"]))
    home = mac.store.path or ""
    staged = mac.store.staging("checkout")
    with open(sandbox.image(home, chosen["images"][-1]), "rb") as file:
        sandbox.unpack(file, os.path.join(staged, "root"))
    with mac.store.lock():
        _swap_root(home, vm["uuid"], staged)
        found = mac.find(vm["uuid"])
        mac.store.put(dict(found, version=chosen["tag"], image_size=chosen["size"], status=_status(chosen)))


def _status(tag: dict[str, Any]) -> str:
    """The status of a VM made from this tag: one pushed while suspended is resumed by its first start."""
    return "suspended" if tag.get("suspended") else "stopped"


CONFIG_FIELDS = (
    "cpu_cores",
    "ram_bytes",
    "hard_drive",
    "network",
    "display",
    "rules",
    "custom",
    "labels",
    "description",
)


def push(
    mac: SimulatedMac,
    registry: RegistryConnection | None,
    ref: str,
    tag: str,
    *,
    description: str = "",
    remote: str | None = None,
    force: bool = False,
    progress: Progress,
) -> None:
    """Store the VM's files as a new layer and tag: locally, and in the registry unless that is None."""
    vm = mac.find(ref)
    if vm["status"] == "running":
        raise SimulatedAnkaError(f"{vm['name']}: VM is running, stop or suspend it before pushing", BUSY)
    if not force and any(old["tag"] == tag for old in vm["tags"]):
        raise SimulatedAnkaError(f"{vm['name']}: tag {tag} already exists", EXISTS)
    uuid = registry.resolve(remote) if registry is not None and remote else vm["uuid"]
    staged = mac.store.staging("push")
    layer, packed = _pack_layer(mac, vm, staged)
    number = max((int(old["number"]) for old in vm["tags"]), default=-1) + 1
    size = vm["image_size"] + layer["size"]
    if registry is not None:
        registry.upload(uuid, layer["name"], packed)
        body = _push_request(vm, uuid, tag, layer, description=description, force=force)
        answer = registry.call("POST", "/sim/v1/push", body=body)
        number, size = answer["number"], answer["size"]
        progress(f"pushing {layer['name']}: 100.0% ({layer['size']}/{layer['size']} bytes)")
    _keep_layer(mac, layer["name"], packed)
    os.rmdir(staged)
    if uuid != vm["uuid"]:
        # The tag is another template's, and nothing here uses the layer.
        images.clean(mac.store)
        return
    local = {
        "tag": tag,
        "number": number,
        "size": size,
        "description": description,
        "images": [layer["name"]],
        "suspended": vm["status"] == "suspended",
    }

    def with_tag(found: dict[str, Any]) -> dict[str, Any]:
        return dict(found, version=tag, tags=[*(old for old in found["tags"] if old["tag"] != tag), local])

    mac.update(vm["uuid"], with_tag)


def _pack_layer(mac: SimulatedMac, vm: dict[str, Any], staged: str) -> tuple[dict[str, Any], str]:
    """The VM's files as a new layer in the staging directory: what a manifest says of it, and its file."""
    name = f"{records.new_uuid(os.urandom(16))}.ank"
    packed = os.path.join(staged, name)
    with open(packed, "wb") as file:
        sandbox.pack(sandbox.root(mac.store.path or "", vm["uuid"]), file)
    payload = os.path.getsize(packed)
    return {"name": name, "size": max(payload, vm["image_size"] // 20), "payload": payload}, packed


def _push_request(
    vm: dict[str, Any], uuid: str, tag: str, layer: dict[str, Any], *, description: str, force: bool
) -> dict[str, Any]:
    return {
        "id": uuid,
        "name": vm["name"],
        "tag": tag,
        "description": description,
        "arch": vm["arch"],
        "layer": layer,
        "base": vm.get("version"),
        "source": vm.get("source"),
        "image_size": vm["image_size"],
        "force": force,
        "suspended": vm["status"] == "suspended",
        "config": {field: vm[field] for field in CONFIG_FIELDS},
    }


def _keep_layer(mac: SimulatedMac, name: str, packed: str) -> None:
    home = mac.store.path or ""
    os.makedirs(os.path.join(home, "images"), exist_ok=True)
    os.rename(packed, sandbox.image(home, name))
