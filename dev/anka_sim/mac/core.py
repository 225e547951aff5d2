"""One simulated Mac host with Anka: every operation as a plain, synchronous method.

No argument parsing, no output, no asyncio: `anka_sim.mac.cli` drives it as a command, benchmarks drive a thousand of
them in one process. Delays go through `sleep`, so a caller can collect them instead of waiting.
"""

from __future__ import annotations

import os
import time

from anka_sim.mac import records, settings, views
from anka_sim.mac.errors import BUSY, EXISTS, LICENSE, LIMIT, NO_SPACE, USAGE, SimulatedAnkaError, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from anka_sim.mac.store import MacStore

    class Hypervisor(Protocol):
        """Starts and halts the VMs of a Mac; a VM runs only while the boot that started it lasts."""

        def boot_id(self) -> str | None: ...
        def start(self, mac: SimulatedMac, uuid: str) -> dict[str, Any]: ...
        def halt(self, mac: SimulatedMac, uuid: str, status: str, *, force: bool) -> None: ...
        def run(self, mac: SimulatedMac, uuid: str, command: dict[str, Any], fds: list[int]) -> int: ...


class SimulatedMac:
    """A Mac over a store (its disk) and a hypervisor (what runs its VMs). Errors are `AnkaError`."""

    def __init__(
        self,
        store: MacStore,
        hypervisor: Hypervisor,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.hypervisor = hypervisor
        self.sleep = sleep
        self.clock = clock
        self.config = store.config()

    # Reading

    def vms(self) -> list[dict[str, Any]]:
        """Every VM and template. A VM of a hypervisor that has ended is stopped: the power failed."""
        found = self.store.vms()
        if not any(vm["status"] == "running" for vm in found):
            return found
        boot = self.hypervisor.boot_id()
        return [
            records.with_halt(vm, "stopped", None) if vm["status"] == "running" and vm["boot_id"] != boot else vm
            for vm in found
        ]

    def find(self, ref: str) -> dict[str, Any]:
        """The VM of that name or UUID."""
        for vm in self.vms():
            if ref in (vm["uuid"], vm["name"]):
                return vm
        raise not_found(ref)

    def rows(
        self, refs: list[str] | None = None, *, status: str | None = None, fields: list[str] | None = None
    ) -> list[dict[str, Any]]:
        chosen = [self.find(ref) for ref in refs] if refs else self.vms()
        if status:
            chosen = [vm for vm in chosen if vm["status"] == status]
        if not fields:
            return [views.row(vm) for vm in chosen]
        now = self.clock()
        return [body for vm in chosen if (body := views.select_fields(vm, fields, now)) is not None]

    def show(self, ref: str, *, tag: str | None = None) -> dict[str, Any]:
        vm = self.find(ref)
        if tag is not None:
            local = self.tag(vm, tag)
            vm = dict(vm, version=tag, image_size=local["size"])
        return views.show(vm, self.clock())

    def show_part(self, ref: str, name: str) -> Any:
        return views.part(self.find(ref), name, self.clock())

    def describe(self, ref: str) -> dict[str, Any]:
        return views.describe(self.find(ref))

    def tag(self, vm: dict[str, Any], tag: str) -> dict[str, Any]:
        """A tag of a template that is on this Mac."""
        for local in vm["tags"]:
            if local["tag"] == tag:
                return dict(local)
        raise not_found(f"{vm['name']}:{tag}")

    def disk_usage(self) -> dict[str, int]:
        """Bytes: the disk's size, what VMs and images take, and what is free."""
        total = int(self.config["disk_bytes"])
        used = sum(vm["image_size"] for vm in self.store.vms() if "source" not in vm)
        return {"total": total, "used": used, "free": max(0, total - used)}

    # Life

    def create(self, name: str, *, cpu: int, ram: int, disk: int) -> dict[str, Any]:
        """A new VM with an empty macOS; sizes in bytes."""
        vm = records.new(
            self.fresh_uuid(),
            name,
            self.clock(),
            arch=self.config["arch"],
            cpu=cpu,
            ram=ram,
            disk=disk,
            image_size=15 << 30,
        )
        self._add(vm, None)
        return vm

    def put_template(self, uuid: str, name: str, tag: str, *, size: int = 15 << 30) -> dict[str, Any]:
        """Add a template with one tag to a Mac in memory, as if it had been pulled: there are no files to fetch."""
        vm = records.new(uuid, name, self.clock(), arch=self.config["arch"], image_size=size)
        local = {"tag": tag, "number": 0, "size": size, "description": "", "images": [f"{uuid}.ank"]}
        vm.update(version=tag, tags=[local])
        self._add(vm, None)
        return vm

    def clone(self, ref: str, name: str, *, tag: str | None = None) -> dict[str, Any]:
        """Copy a VM that does not run. Nothing is visible until it is complete."""
        source = self.find(ref)
        if source["status"] == "running":
            raise SimulatedAnkaError(f"{source['name']}: VM is running, stop it before cloning", BUSY)
        self._name_is_free(name)
        vm = records.clone(source, self.fresh_uuid(), name, self.clock())
        local = self.tag(source, tag) if tag is not None else None
        if local:
            vm.update(version=tag, image_size=local["size"])
        if local.get("suspended") if local else source["status"] == "suspended":
            vm["status"] = "suspended"
        prepared = None
        if self.store.path is not None:
            from anka_sim.mac import sandbox

            prepared = sandbox.copy(self.store, source, local)
        self.sleep(self.config["delays"]["clone"])
        self._add(vm, prepared)
        return vm

    def start(self, ref: str) -> dict[str, Any]:
        """Start or resume; a VM that runs is left alone. Waits for the start delay, not for the guest's network."""
        vm = self.find(ref)
        if vm["status"] == "running":
            return vm
        if self.config["license"]["status"] != "valid":
            raise SimulatedAnkaError(f"license is {self.config['license']['status']}, VMs cannot be started", LICENSE)
        self.check_limit(self.vms(), vm["uuid"])
        if vm["ram_bytes"] > self.config["ram_bytes"]:
            raise SimulatedAnkaError(f"{vm['name']}: not enough memory on the host", NO_SPACE)
        self.sleep(settings.start_delay(self.config, f"{vm['uuid']}:{vm.get('starts', 0)}"))
        return self.hypervisor.start(self, vm["uuid"])

    def check_limit(self, vms: list[dict[str, Any]], uuid: str) -> None:
        limit = settings.running_limit(self.config)
        running = sum(1 for vm in vms if vm["status"] == "running" and vm["uuid"] != uuid)
        if limit is not None and running >= limit:
            raise SimulatedAnkaError(f"start: the number of running VMs is limited to {limit} on this host", LIMIT)

    def stop(self, ref: str, *, force: bool = False) -> None:
        """Stop a running or suspended VM; one that is stopped is left alone."""
        vm = self.find(ref)
        if vm["status"] == "running":
            self.sleep(0.0 if force else self.config["delays"]["stop"])
            self.hypervisor.halt(self, vm["uuid"], "stopped", force=force)
        elif vm["status"] != "stopped":
            self.update(vm["uuid"], lambda found: records.with_halt(found, "stopped", self.clock()))

    def suspend(self, ref: str) -> None:
        vm = self.find(ref)
        if ".develop" in self.config["license"]["license_type"]:
            raise SimulatedAnkaError("suspend is not available with this license", LICENSE)
        if vm["status"] != "running":
            raise SimulatedAnkaError(f"{vm['name']}: VM is not running", BUSY)
        self.hypervisor.halt(self, vm["uuid"], "suspended", force=True)

    def reboot(self, ref: str, *, force: bool = False) -> None:
        if self.find(ref)["status"] != "running":
            raise SimulatedAnkaError(f"{ref}: VM is not running", BUSY)
        self.stop(ref, force=force)
        self.start(ref)

    def delete(self, ref: str) -> None:
        """Delete a VM or template with its local tags; a running one is powered off first."""
        vm = self.find(ref)
        self.sleep(self.config["delays"]["delete"])
        if vm["status"] == "running":
            self.hypervisor.halt(self, vm["uuid"], "stopped", force=True)
        with self.store.lock():
            self.store.remove(vm["uuid"])
        self.clean()

    def clean(self) -> None:
        """Delete images that no template uses any more, and what interrupted commands left."""
        if self.store.path is None:
            return
        from anka_sim.mac import images

        images.clean(self.store)

    def delete_tag(self, ref: str, tag: str) -> None:
        """Delete one local tag of a template."""
        self.tag(self.find(ref), tag)

        def without(vm: dict[str, Any]) -> dict[str, Any]:
            return dict(vm, tags=[local for local in vm["tags"] if local["tag"] != tag])

        self.update(self.find(ref)["uuid"], without)

    # Changing

    def modify(
        self, ref: str, change: Callable[[dict[str, Any]], dict[str, Any]], *, live: bool = False
    ) -> dict[str, Any]:
        """Apply a pure change to a VM's record; only a `live` one is possible unless the VM is stopped."""

        def change_if_stopped(vm: dict[str, Any]) -> dict[str, Any]:
            if vm["status"] in ("running", "suspended") and not live:
                raise SimulatedAnkaError(f"{vm['name']}: VM is {vm['status']}, stop it before modifying", BUSY)
            return change(vm)

        return self.update(self.find(ref)["uuid"], change_if_stopped)

    def rename(self, ref: str, name: str) -> None:
        uuid = self.find(ref)["uuid"]
        with self.store.lock():
            if name != self.find(uuid)["name"]:
                self._name_is_free(name)
            self.store.put(dict(self.find(uuid), name=name))

    def update(self, uuid: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Read, change and write one record under the lock."""
        with self.store.lock():
            vm = change(self.find(uuid))
            self.store.put(vm)
        return vm

    def save_config(self, **changes: Any) -> None:
        """Change parts of the Mac's configuration under the lock."""
        with self.store.lock():
            self.config = dict(self.store.config(), **changes)
            self.store.save_config(self.config)

    def claim_usb(self, ref: str, device: str, *, claim: bool = True) -> None:
        """Attach a USB device of the host to a VM, or take it back; a device is in one VM at a time."""
        known = [views.usb_location(usb) for usb in self.config["usb"] if device in views.usb_names(usb)]
        if not known:
            raise not_found(f"usb device {device}")
        uuid = self.find(ref)["uuid"]
        with self.store.lock():
            vms = self.vms()
            owners = {location: vm for vm in vms if vm["uuid"] != uuid for location in vm["usb"]}
            free = [location for location in known if location not in owners]
            if claim and not free:
                raise SimulatedAnkaError(f"usb device {device} is claimed by {owners[known[0]]['name']}", BUSY)
            vm = self.find(uuid)
            rest = [other for other in vm["usb"] if other not in known]
            # Of several devices of one name or group, the VM gets any that is free.
            self.store.put(dict(vm, usb=[*rest, free[0]] if claim else rest))

    # Small parts

    def fresh_uuid(self) -> str:
        return records.new_uuid(os.urandom(16))

    def _add(self, vm: dict[str, Any], prepared: str | None) -> None:
        with self.store.lock():
            self._name_is_free(vm["name"])
            self.store.add(vm, prepared)

    def _name_is_free(self, name: str) -> None:
        if not name or "/" in name or name.startswith("-"):
            raise SimulatedAnkaError(f"invalid VM name {name!r}", USAGE)
        if any(name in (vm["name"], vm["uuid"]) for vm in self.store.vms()):
            raise SimulatedAnkaError(f"{name}: already exists", EXISTS)
