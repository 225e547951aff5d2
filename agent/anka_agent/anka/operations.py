"""What the agent asks of `anka`: one method for each thing it does, with the time it may take."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anka_agent.anka.command import Anka
from anka_agent.anka.errors import GarbageError, NotFoundError
from anka_agent.anka.vm import Vm, parse_list, parse_show

QUICK = 30.0
START = 90.0
"""The old controller's limit for `anka start` (legacy-clients section 2)."""
CLONE = 300.0
MODIFY = 120.0
STOP = 120.0
RUN = 300.0
"""Waiting for the guest to come up is part of `anka run`."""
DELETE = 120.0
SUSPEND = 300.0
"""A VM's whole memory goes to disk."""
REGISTRY = 60.0
PULL = 6 * 3600.0
"""TeamCity waits 6 h for a pull (the same)."""

_PERCENT = re.compile(r"(\d{1,3})(?:[.,]\d+)?\s*%")


@dataclass(frozen=True, slots=True)
class Version:
    product: str
    version: str
    build: str

    @property
    def major(self) -> int:
        """0 when the version cannot be read."""
        head = self.version.split(".")[0]
        return int(head) if head.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class License:
    type: str
    status: str
    product: str
    expires: str

    @property
    def valid(self) -> bool:
        return self.status.lower() == "valid"


@dataclass(frozen=True, slots=True)
class Usb:
    location: str
    name: str | None
    available: bool
    group: str | None = None
    """Its claim name: `anka usb claim --claim-name GROUP`."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a template on this Mac's disk."""

    tag: str
    number: int | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Download:
    """What a pull would take: bytes to fetch, and bytes that are free for them."""

    size: int
    available: int


class Operations:
    """All methods raise AnkaError and its subclasses. VMs and templates are named by UUID or name."""

    def __init__(self, anka: Anka) -> None:
        self._anka = anka

    @property
    def executable(self) -> str:
        return self._anka.executable

    async def version(self) -> Version:
        body = _mapping(await self._anka.call("version", seconds=QUICK), "version")
        return Version(_text(body, "product"), _text(body, "version"), _text(body, "build"))

    async def license(self) -> License:
        body = _mapping(await self._anka.call("license", "show", seconds=QUICK), "license show")
        kind, status = _text(body, "license_type"), _text(body, "status")
        return License(kind, status, _text(body, "product"), _text(body, "expires"))

    async def vms(self) -> list[Vm]:
        """All VMs and templates of the Mac, in one call."""
        return parse_list(await self._anka.call("list", seconds=QUICK))

    async def show(self, vm: str) -> Vm:
        return parse_show(await self._anka.call("show", vm, seconds=QUICK))

    async def tags(self, template: str) -> list[Tag]:
        """Tags of a template that lie on this Mac."""
        body = await self._anka.call("show", template, "tag", seconds=QUICK)
        if body is None or body == {}:
            return []
        if not isinstance(body, list):
            raise GarbageError(f"a list was expected, not {str(body)[:100]}", command="show")
        rows = [row for row in body if isinstance(row, Mapping) and isinstance(row.get("tag"), str)]
        return [Tag(row["tag"], _integer(row, "number"), _integer(row, "size")) for row in rows]

    async def usb(self) -> list[Usb]:
        """USB devices; none when this Anka has no such command."""
        try:
            body = await self._anka.call("usb", "list", seconds=QUICK)
        except (GarbageError, NotFoundError):
            return []
        found = []
        for row in body if isinstance(body, list) else []:
            if not isinstance(row, Mapping):
                continue
            location = next((str(row[key]) for key in ("location", "location_id", "id", "name") if row.get(key)), None)
            if location is not None:
                name, group = _named(_text(row, "name"))
                busy = row.get("vm") or row.get("is_busy")
                found.append(Usb(location, name, not busy, _text(row, "claim_name") or _text(row, "group") or group))
        return found

    async def clone(self, template: str, name: str, tag: str | None) -> None:
        """Raises AlreadyExistsError, NotFoundError."""
        await self._anka.call("clone", template, name, *(["--tag", tag] if tag else []), seconds=CLONE)

    async def modify(self, command: Sequence[str]) -> None:
        """One command line of `plan.options`. Raises AlreadyExistsError for the name of another VM."""
        await self._anka.call(*command, seconds=MODIFY)

    async def start(self, vm: str, *, usb_device: str | None = None, vnc_password: str | None = None) -> None:
        """Start or resume. Returns when the VM runs, which is before its network is up."""
        usb = ["--usb", usb_device] if usb_device else []
        env = {"ANKA_VNC_PASSWORD": vnc_password} if vnc_password else None
        await self._anka.call("start", *usb, vm, seconds=START, env=env)

    async def run_script(self, vm: str, script: str) -> None:
        """Run a short script in the VM and wait for it. Raises AnkaError with the last that it said."""
        await self._anka.run(vm, "sh", "-c", script, seconds=RUN)

    async def stop(self, vm: str) -> None:
        """Power the VM off."""
        await self._anka.call("stop", "--force", vm, seconds=STOP)

    async def suspend(self, vm: str) -> None:
        """Stop the VM with its memory kept on disk. Not with every licence."""
        await self._anka.call("suspend", vm, seconds=SUSPEND)

    async def delete(self, vm: str, tag: str | None = None) -> None:
        """Delete, or only one local tag of a template; what is gone already is fine."""
        try:
            await self._anka.call("delete", "--yes", *(["--tag", tag] if tag else []), vm, seconds=DELETE)
        except NotFoundError:
            return

    async def pull(
        self, template: str, tag: str | None, *, remote: str | None, on_percent: Callable[[int], None]
    ) -> None:
        """Fetch a template from the registry; what is here already is not fetched again."""

        def look(line: str) -> None:
            if (percent := percent_of(line)) is not None:
                on_percent(percent)

        which = ["--tag", tag] if tag else []
        await self._anka.call(
            "registry", *_source(remote), "pull", *which, template, seconds=PULL, on_line=look, exclusive=False
        )

    async def download(self, template: str, tag: str | None, *, remote: str | None) -> Download | None:
        """How much a pull would fetch; None when all of it is here. Raises NotFoundError, GarbageError."""
        which = ["--tag", tag] if tag else []
        body = await self._registry(remote, "pull", "--check-download-size", *which, template)
        if not body:
            return None
        row = _mapping(body, "registry pull")
        size, available = _integer(row, "size"), _integer(row, "available")
        if size is None or available is None:
            raise GarbageError(f"size or available is missing in {str(dict(row))[:200]}", command="registry pull")
        return Download(size, available)

    async def registry_tags(self, template: str, *, remote: str | None) -> list[str]:
        """Tags of a template in the registry, oldest first. Raises NotFoundError for an unknown template."""
        body = _mapping(await self._registry(remote, "describe", template), "registry describe")
        versions = body.get("versions")
        rows = [row for row in versions if isinstance(row, Mapping)] if isinstance(versions, list) else []
        return [row["tag"] for row in rows if isinstance(row.get("tag"), str)]

    async def registry_names(self, *, remote: str | None) -> set[str]:
        """Names of all templates in the registry."""
        body = await self._registry(remote, "list")
        rows = [row for row in body if isinstance(row, Mapping)] if isinstance(body, list) else []
        return {_text(row, "name") for row in rows}

    async def revert(self, template: str, tag: str, *, remote: str | None) -> None:
        """Remove this tag and all newer ones from the registry; one that is gone already is fine."""
        try:
            await self._registry(remote, "revert", "--tag", tag, "--yes", template)
        except NotFoundError:
            return

    async def _registry(self, remote: str | None, *words: str) -> Any:
        return await self._anka.call("registry", *_source(remote), *words, seconds=REGISTRY)

    def push_command(self, vm: str, tag: str, *, description: str, target: str | None, remote: str | None) -> list[str]:
        """Command line that pushes the VM, for the script runner: as a tag of template `target`, else as a template of
        its own. Without --force: a registry that has the tag already refuses."""
        words = ["--tag", tag]
        if description:
            words += ["--description", description]
        if target is not None:
            words += ["--remote-vm", target]
        return [self._anka.executable, "--machine-readable", "registry", *_source(remote), "push", *words, vm]

    def run_command(self, vm: str, *words: str) -> list[str]:
        """Command line that runs `words` in the VM, for the script runner: it outlives this process."""
        return [self._anka.executable, "run", vm, *words]


def _source(remote: str | None) -> list[str]:
    return ["--remote", remote] if remote else []


def percent_of(line: str) -> int | None:
    """Progress in a line of `pull`: the last percentage in it."""
    found = _PERCENT.findall(line)
    return min(100, int(found[-1])) if found else None


def _mapping(body: Any, command: str) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise GarbageError(f"an object was expected, not {str(body)[:100]}", command=command)
    return body


def _named(name: str) -> tuple[str | None, str | None]:
    """Name and claim name of a USB device: `anka usb list` shows a claimed one as `iPhone (iphones)`."""
    bare, bracket, group = name.removesuffix(")").rpartition(" (")
    if not bracket or not name.endswith(")"):
        return name or None, None
    return bare, group or None


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return str(value) if value is not None else ""


def _integer(row: Mapping[str, Any], key: str) -> int | None:
    value = row.get(key)
    return value if isinstance(value, int) else None
